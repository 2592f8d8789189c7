// What a session and a busy topic cost in memory, and whether clients that come and go leave
// anything behind. Beside it a socket of uWebSockets.js alone. Resident memory after garbage was
// collected; the kernel's part is not counted.
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { firstTopics, HELLO, subscribe } from "../load/readers-messages.mjs";
import { clientFrame } from "../load/client-frame.mjs";
import { compiled, startAlone } from "../load/stand.mjs";
import { row } from "./measure.mjs";

const KIB = 1024;
const SETTLE_MS_MAX = 120_000;
const SESSIONS = 10_000;
const TOPICS_PER_SESSION = 10;
const BUSY_TOPICS = 1_000;
/** What a server on a core of its own keeps up with. */
const BUSY_TURNS_PER_SECOND = 80;
/** More batches than a topic's history has room for. */
const BATCHES_PER_TOPIC = 4_200;
/** More for a run that is to take long, as far as the limit of open files lets it. */
const SESSIONS_LONG = 50_000;
/** Files that a server has open besides its sockets. */
const FILES_BESIDES = 200;
const CHURN = { connectsPerSecond: 1_000, warmUpSeconds: 6, seconds: 10 };
const CHURN_LONG = { connectsPerSecond: 1_000, warmUpSeconds: 30, seconds: 600 };
const CHURN_QUICK = { connectsPerSecond: 100, warmUpSeconds: 1, seconds: 2 };
/** Clients that are there at once; a busy machine admits fewer a second then. */
const VISITORS_MAX = 500;
/** More bytes than the answer to an upgrade, and fewer than with Welcome and the topics. */
const ANSWER_BYTES = 300;
/** A client that has no answer by then will never have one. */
const ANSWER_MS_MAX = 60_000;

/** Until the server says so many subscriptions. */
async function settled(server, subscriptions) {
  const untilMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const mark = await server.mark(false);
    if (mark.subscriptions === subscriptions) return server.mark();
    if (performance.now() > untilMs) {
      throw new Error(`${mark.subscriptions} subscriptions, where ${subscriptions} should be`);
    }
    await wait(300);
  }
}

const TICKWIRE = { name: "tickwire-server.mjs", options: { topics: TOPICS_PER_SESSION } };
const BARE = { name: "uws-server.mjs", options: { how: "send", topics: 1, bytesPerTick: 12 } };

/** KiB of resident memory that a session takes, with what it subscribed to. */
async function perSession(program, { sessions, messages, subscriptions }) {
  const server = await startAlone(program);
  // The first sessions pay for tables, code and topics; those that have left for the space in which
  // V8 makes objects, which grows while much is made at once.
  const endThese = await server.open({ sockets: sessions / 2, messages });
  await settled(server, subscriptions / 2);
  await endThese();
  await settled(server, 0);
  const endFirst = await server.open({ sockets: sessions / 10, messages });
  const before = await settled(server, subscriptions / 10);
  const endRest = await server.open({ sockets: sessions, messages });
  const after = await settled(server, subscriptions / 10 + subscriptions);
  await Promise.all([endFirst(), endRest()]);
  await server.end();
  return {
    resident: (after.rss - before.rss) / sessions / KIB,
    used: (after.usedBytes - before.usedBytes) / sessions / KIB,
  };
}

/** Open files that a process may have here; undefined where nobody says. */
function filesMax() {
  const said = spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout?.trim();
  if (said === "unlimited") return Number.POSITIVE_INFINITY;
  return said === undefined || said === "" ? undefined : Number(said);
}

/** The sessions of a long run: fewer, with a line that says so, where there are too few files. */
function manySessions() {
  const max = filesMax() ?? 0;
  // The first tenth stays open beside them.
  const sessions = Math.min(SESSIONS_LONG, Math.floor((max - FILES_BESIDES) / 1_100) * 1_000);
  if (sessions < SESSIONS_LONG) {
    process.stdout.write(
      `${sessions} sessions in place of ${SESSIONS_LONG}, because a process may open ${max} files ` +
        "here (ulimit -Hn)\n",
    );
  }
  return sessions;
}

async function idleSessions(rounds, sessions) {
  const name = `${sessions} idle sessions, ${TOPICS_PER_SESSION} topics each`;
  const messages = [[HELLO, subscribe(firstTopics(TOPICS_PER_SESSION))]];
  const subscriptions = sessions * TOPICS_PER_SESSION;
  const ours = [];
  const bare = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await perSession(TICKWIRE, { sessions, messages, subscriptions }));
    bare.push(await perSession(BARE, { sessions, messages: [[]], subscriptions: sessions }));
  }
  const values = (samples, key) => samples.map((sample) => sample[key]);
  const over = values(ours, "resident").map((kib, round) => kib - bare[round].resident);
  return [
    row(name, "tickwire", "KiB a session", values(ours, "resident")),
    row(name, "tickwire, in V8's heap", "KiB a session", values(ours, "used")),
    row(name, "uWebSockets.js", "KiB a session", values(bare, "resident")),
    row(name, "tickwire over it", "KiB a session", over, { target: "<= 2.5" }),
  ];
}

/** KiB that a topic takes whose histories are full, here and at its publisher. */
async function busyTopics(rounds, topics, batches) {
  const name = `${topics} busy topics, ${batches} batches of a trade each`;
  const samples = [];
  const used = [];
  for (let round = 0; round < rounds; round += 1) {
    const server = await startAlone({ name: "tickwire-server.mjs", options: { topics } });
    const end = await server.open({
      sockets: 1,
      messages: [[HELLO, subscribe(firstTopics(topics))]],
    });
    const before = await settled(server, topics);
    server.start({ turnsPerSecond: BUSY_TURNS_PER_SECOND, messages: topics, ticks: 1 });
    for (;;) {
      await wait(200);
      const { messages } = await server.mark(false);
      if (messages >= topics * batches) break;
    }
    server.stop();
    const after = await server.mark();
    samples.push((after.rss - before.rss) / topics / KIB);
    used.push((after.usedBytes - before.usedBytes) / topics / KIB);
    await end();
    await server.end();
  }
  return [
    row(name, "publisher and gateway", "KiB a topic", samples, { target: "<= 350" }),
    row(name, "the same, in use", "KiB a topic", used),
  ];
}

/**
 * One client that comes, gets its answer, and goes without a word. `onGone` hears whether it had
 * the answer.
 */
function visit(port, { upgrade, frames }, onGone) {
  const socket = connect(port, "127.0.0.1", () => socket.write(upgrade));
  let bytes = 0;
  socket.on("data", (data) => {
    // Nobody may send a frame before the upgrade is answered: the server reads nothing behind it.
    if (bytes === 0) socket.write(frames);
    bytes += data.length;
    if (bytes > ANSWER_BYTES) socket.destroy();
  });
  socket.on("error", () => {});
  socket.on("close", () => onGone(bytes > ANSWER_BYTES));
  socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
}

/** KiB by which the server grows while clients come and go, after a while of that. */
async function churn({ connectsPerSecond, warmUpSeconds, seconds }) {
  const server = await startAlone(TICKWIRE);
  const upgrade =
    "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Protocol: tickwire.v1\r\n\r\n";
  const frames = Buffer.concat(
    [HELLO, subscribe(firstTopics(TOPICS_PER_SESSION))].map((payload) =>
      clientFrame(payload).subarray(4),
    ),
  );
  let visits = 0;
  let open = 0;
  let unanswered = 0;
  const onGone = (isAnswered) => {
    open -= 1;
    if (!isAnswered) unanswered += 1;
  };
  const run = async (forSeconds) => {
    const startedMs = performance.now();
    const before = visits;
    for (let elapsedMs = 0; elapsedMs < forSeconds * 1_000;) {
      const due = before + (elapsedMs / 1_000) * connectsPerSecond;
      while (visits < due && open < VISITORS_MAX) {
        visits += 1;
        open += 1;
        visit(server.port, { upgrade, frames }, onGone);
      }
      await wait(5);
      elapsedMs = performance.now() - startedMs;
    }
    while (open > 0) await wait(20);
    if (unanswered > 0) throw new Error(`${unanswered} of ${visits} clients had no answer`);
    return settled(server, 0);
  };
  const first = await run(warmUpSeconds);
  const visitsBefore = visits;
  const second = await run(seconds);
  await server.end();
  const name = `${visits - visitsBefore} clients that came and went in ${seconds} s`;
  return [
    row(name, "resident", "KiB more", [(second.rss - first.rss) / KIB]),
    row(name, "in V8's heap", "KiB more", [(second.usedBytes - first.usedBytes) / KIB], {
      target: "0",
    }),
  ];
}

export const about = "memory of sessions and topics";

export async function run({ rounds, quick, long, only = "" }) {
  if (compiled("readers") === undefined) {
    process.stdout.write("left out: there is no C compiler for the readers\n");
    return [];
  }
  const many = long ? manySessions() : 0;
  const parts = {
    sessions: () => idleSessions(rounds, quick ? 200 : SESSIONS),
    "many sessions": () => (many > SESSIONS ? idleSessions(1, many) : []),
    // A round takes most of a minute, and differs from the next by a few percent.
    topics: () => busyTopics(1, quick ? 20 : BUSY_TOPICS, quick ? 500 : BATCHES_PER_TOPIC),
    churn: () => churn(quick ? CHURN_QUICK : long ? CHURN_LONG : CHURN),
  };
  const measured = async (...names) => {
    const rows = [];
    for (const name of names) if (name.includes(only)) rows.push(...(await parts[name]()));
    return rows;
  };
  // Each part has servers of its own, and none of them looks at the time.
  const [topics, idle] = await Promise.all([
    measured("topics"),
    measured("sessions", "many sessions"),
  ]);
  return [...idle, ...topics, ...(await measured("churn"))];
}
