// Many sessions over HTTP on one topic: what Server-Sent Events and long polling cost a gateway, in
// CPU time of its process for each event that a session gets, and whether all get all of it.
// Runs on the build: `npm run build`, then
// `node test/bench/http-streams.bench.mjs [sessions] [seconds] [uws | node] [events a second]
// [channel] [interval in ms]`.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";

const sessions = Number(process.argv[2] ?? 1_000);
const seconds = Number(process.argv[3] ?? 10);
const transport = process.argv[4] ?? "uws";
const eventsPerSecond = Number(process.argv[5] ?? 20);
const PORT = 20_441;
const ADMIN_PORT = 20_442;
const BIN = new URL("../../services/cli/tickwire.mjs", import.meta.url).pathname;
const channel = process.argv[6] ?? "quotes";
const intervalMs = Number(process.argv[7] ?? 0);
const TOPIC = `simulated:BTC-USD/${channel}&conflationIntervalMs=${intervalMs}`;
const CLOCK_TICKS_PER_SECOND = 100;
const print = (line) => process.stdout.write(`${line}\n`);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const market = { seed: 5, instruments: 1, eventsPerSecond, pace: "even" };
const environment = {
  ...process.env,
  TICKWIRE_GATEWAY__TRANSPORT: transport,
  TICKWIRE_GATEWAY__CONNECTIONS_MAX: "20000",
  TICKWIRE_GATEWAY__CONNECTIONS_PER_ADDRESS_MAX: "20000",
  TICKWIRE_GATEWAY__POLL_SESSIONS_MAX: "20000",
  TICKWIRE_GATEWAY__POLL_SESSIONS_PER_ADDRESS_MAX: "20000",
  TICKWIRE_INGEST__VENUES: JSON.stringify([{ id: "simulated", simulated: market }]),
};
const ports = ["--port", String(PORT), "--admin-port", String(ADMIN_PORT)];
const stdio = ["ignore", "ignore", "ignore"];
const gateway = spawn(process.execPath, [BIN, "dev", ...ports], { env: environment, stdio });

process.on("exit", () => gateway.kill("SIGKILL"));

function cpuSeconds() {
  const fields = readFileSync(`/proc/${gateway.pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function request(path, onAnswer) {
  const asked = get({ port: PORT, host: "127.0.0.1", path, agent }, onAnswer);
  asked.on("error", () => undefined);
  return asked;
}

/** What one session has got: how many sequences, and whether one of them was left out. */
function createLedger() {
  const ledger = { events: 0, lost: 0, sequence: undefined };
  const take = ({ previousSequence, sequence, events }) => {
    if (ledger.sequence !== undefined) ledger.lost += previousSequence - ledger.sequence;
    ledger.sequence = sequence;
    ledger.events += events.length;
  };
  return { ledger, take };
}

function openStream() {
  const { ledger, take } = createLedger();
  const asked = request(`/v1/sse?topics=${TOPIC}`, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      const end = text.lastIndexOf("\n\n");
      if (end < 0) return;
      for (const block of text.slice(0, end).split("\n\n")) {
        if (block.startsWith(`event: ${channel}`)) take(JSON.parse(block.split("\n")[1].slice(6)));
      }
      text = text.slice(end + 2);
    });
    answer.on("error", () => undefined);
  });
  return { ledger, close: () => asked.destroy() };
}

function openPolling() {
  const { ledger, take } = createLedger();
  let isOpen = true;
  let asked;
  const poll = (cursor) => {
    if (!isOpen) return;
    asked = request(`/v1/poll?topics=${TOPIC}${cursor}`, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      answer.on("error", () => undefined);
      answer.on("end", () => {
        if (answer.statusCode !== 200) {
          // Too many requests at once: the answer says when to come again.
          const afterMs = Number(answer.headers["retry-after"] ?? 1) * 1_000;
          setTimeout(poll, afterMs, cursor);
          return;
        }
        const told = JSON.parse(text);
        for (const { event, data } of told.events) if (event === channel) take(data);
        poll(`&cursor=${encodeURIComponent(told.cursor)}`);
      });
    });
  };
  poll("");
  return {
    ledger,
    close: () => {
      isOpen = false;
      asked.destroy();
    },
  };
}

async function measure(name, open) {
  const all = [];
  for (let opened = 0; opened < sessions; opened += 1) {
    all.push(open());
    if (opened % 50 === 49) await wait(20);
  }
  const hasBegun = () => all.every(({ ledger }) => ledger.events > 0);
  for (let waited = 0; !hasBegun() && waited < 600; waited += 1) await wait(100);
  const before = all.reduce((sum, { ledger }) => sum + ledger.events, 0);
  const [fromCpu, fromMs] = [cpuSeconds(), performance.now()];
  await wait(seconds * 1_000);
  const cpu = cpuSeconds() - fromCpu;
  const took = (performance.now() - fromMs) / 1_000;
  const events = all.reduce((sum, { ledger }) => sum + ledger.events, 0) - before;
  const lost = all.reduce((sum, { ledger }) => sum + ledger.lost, 0);
  for (const session of all) session.close();
  await wait(2_000);
  print(
    `${name.padEnd(5)} ${String(sessions).padStart(6)} sessions ` +
      `${(events / took).toFixed(0).padStart(8)} events/s, lost ${lost}, ` +
      `${((cpu / took) * 100).toFixed(0).padStart(4)} % CPU, ` +
      `${((cpu / events) * 1e6).toFixed(1).padStart(7)} us an event and session`,
  );
}

try {
  const ready = `http://127.0.0.1:${ADMIN_PORT}/readyz`;
  const isReady = () =>
    fetch(ready).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) await wait(100);
  print(`${transport}, ${TOPIC}, load ${loadavg()[0].toFixed(1)}`);
  await measure("sse", openStream);
  await measure("poll", openPolling);
} finally {
  process.exit();
}
