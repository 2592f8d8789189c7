// Ten readers of one gateway, from fast to stopped, each a process of its own: of 10 KB/s, of
// 1 KB/s, and stopped by a signal, raw and on views. For each subscription, what was delivered,
// what later events stand for and what was told missing is what was published; the fast readers
// lose nothing and are as quick as without the slow ones; memory is bounded. Ends with 1 if not so.
// Runs on the build: `npm run build`, then
// `node test/bench/slow-readers.bench.mjs [seconds] [uws | node] [events a second]`.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";

const seconds = Number(process.argv[2] ?? 60);
const transport = process.argv[3] ?? "uws";
const eventsPerSecond = Number(process.argv[4] ?? 200);
const INSTRUMENTS = 10;
const PORT = 20_431;
const ADMIN_PORT = 20_432;
const MIB = 1024 * 1024;
const BIN = new URL("../../services/cli/tickwire.mjs", import.meta.url).pathname;
const READER = new URL("slow-readers/reader.mjs", import.meta.url).pathname;
const TOPICS = ["trades", "quotes", "book", "ticker"].map((channel) => `simulated:*/${channel}`);
const VIEW = { depth: 10, conflationIntervalMs: 100 };
const FAST = [
  { name: "fast, raw" },
  { name: "fast, raw" },
  { name: "fast, views", options: VIEW },
  { name: "fast, views", options: VIEW },
];
const SLOW = [
  { name: "10 KB/s, raw", bytesPerSecond: 10_000 },
  { name: "10 KB/s, views", bytesPerSecond: 10_000, options: VIEW },
  { name: "1 KB/s, raw", bytesPerSecond: 1_000 },
  { name: "1 KB/s, views", bytesPerSecond: 1_000, options: VIEW },
  { name: "stopped, raw", isStopped: true },
  { name: "stopped, views", isStopped: true, options: VIEW },
];
/** So long after the last slow reader may read again, everybody has what is new. */
const SETTLE_MS = 60_000;
const print = (line) => process.stdout.write(`${line}\n`);
const problems = [];
const children = new Set();

function expect(isSo, problem) {
  if (!isSo) problems.push(problem);
}

function keep(child) {
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function startGateway() {
  const market = { seed: 5, instruments: INSTRUMENTS, eventsPerSecond, pace: "even" };
  const ports = ["--port", String(PORT), "--admin-port", String(ADMIN_PORT)];
  const environment = {
    ...process.env,
    TICKWIRE_GATEWAY__TRANSPORT: transport,
    TICKWIRE_INGEST__VENUES: JSON.stringify([{ id: "simulated", simulated: market }]),
  };
  const stdio = ["ignore", "ignore", "ignore"];
  const child = keep(spawn(process.execPath, [BIN, "dev", ...ports], { env: environment, stdio }));
  const isReady = () =>
    fetch(`http://127.0.0.1:${ADMIN_PORT}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) await wait(100);
  return child;
}

function residentBytes({ pid }) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}

async function startReader(kind) {
  const { bytesPerSecond, options } = kind;
  const wishes = JSON.stringify({ port: PORT, bytesPerSecond, options, topics: TOPICS });
  const child = keep(fork(READER, [wishes]));
  await once(child, "message");
  return { kind, child };
}

async function ask({ child }, question) {
  child.send(question);
  const [answer] = await once(child, "message");
  return answer;
}

const askAll = (readers, question) => Promise.all(readers.map((each) => ask(each, question)));

/** Waits, and says how much memory the gateway had at most. */
async function watchMemory(gateway, forSeconds) {
  let mostBytes = 0;
  for (let second = 0; second < forSeconds; second += 1) {
    await wait(1_000);
    mostBytes = Math.max(mostBytes, residentBytes(gateway));
  }
  return mostBytes;
}

const sum = (accounts, field) => accounts.reduce((total, account) => total + account[field], 0);

/** Where every topic of a reader stands, once it has gone on to where the market was. */
async function reportsOnceCurrent(readers, isCurrent) {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const reports = await askAll(readers, "report");
    if (reports.every(isCurrent) || performance.now() > deadline) return reports;
    await wait(500);
  }
}

/** The first fast reader has every sequence, so where its topics stand is what was published. */
function ends({ accounts }) {
  return new Map(accounts.map(({ topic, sequence }) => [topic, sequence]));
}

function judge({ kind }, report) {
  const { accounts, faults, closeCodes, lags, gapsBeforeLag, conflatedEvents } = report;
  const isFast = kind.bytesPerSecond === undefined && kind.isStopped !== true;
  const [delivered, missing, unsaid] = ["delivered", "missing", "unsaid"].map((field) =>
    sum(accounts, field),
  );
  const published = accounts.reduce((total, { start, sequence }) => total + sequence - start, 0);
  const closed = closeCodes.length === 0 ? "nobody" : closeCodes.join();
  print(
    `${kind.name.padEnd(15)}${[published, delivered, unsaid, missing]
      .map((count) => String(count).padStart(11))
      .join("")}${String(lags).padStart(8)}   ${closed}`,
  );
  const { name } = kind;
  expect(accounts.length >= TOPICS.length * INSTRUMENTS, `${name}: ${accounts.length} topics`);
  for (const fault of faults) problems.push(`${name}: ${fault}`);
  for (const { topic, start, sequence, ...account } of accounts) {
    const accounted = account.delivered + account.missing + account.unsaid;
    const text = `${name}: of ${topic} ${sequence - start} were published, and ${accounted} are told`;
    expect(accounted === sequence - start, text);
    const isTrades = topic.endsWith("/trades");
    expect(!isTrades || account.unsaid === 0, `${name}: ${account.unsaid} of ${topic} are lost`);
  }
  expect(unsaid === conflatedEvents, `${name}: the client counts ${conflatedEvents} as conflated`);
  // Who stands still for long finds its connection cut, and the notice with it.
  const wasTold = gapsBeforeLag === 0 || closeCodes.includes(1006);
  expect(wasTold, `${name}: lost something before it was told that it lags`);
  if (isFast) expect(missing + lags + closeCodes.length === 0, `${name}: was not left alone`);
  if (name === "fast, raw") expect(unsaid === 0, `${name}: was conflated`);
}

const shown = (all) =>
  all.map(({ p50, p99 }) => `${p50.toFixed(1)} / ${p99.toFixed(1)}`).join("   ");

try {
  print(`${transport}, ${INSTRUMENTS} instruments, ${seconds} s, load ${loadavg()[0].toFixed(1)}`);
  const gateway = await startGateway();
  const fast = await Promise.all(FAST.map(startReader));
  await wait(3_000);
  await askAll(fast, "latencies");
  const aloneBytes = await watchMemory(gateway, seconds);
  const alone = await askAll(fast, "latencies");
  const slow = await Promise.all(SLOW.map(startReader));
  await wait(1_000);
  const stopped = slow.filter(({ kind }) => kind.isStopped);
  for (const { child } of stopped) child.kill("SIGSTOP");
  await askAll(fast, "latencies");
  const withSlowBytes = await watchMemory(gateway, seconds);
  const withSlow = await askAll(fast, "latencies");
  for (const { child } of stopped) child.kill("SIGCONT");
  for (const { child } of slow) child.send("hurry");
  const then = ends(await ask(fast[0], "report"));
  const readers = [...fast, ...slow];
  const reports = await reportsOnceCurrent(readers, ({ accounts }) =>
    accounts.every(({ topic, sequence }) => sequence >= then.get(topic)),
  );
  print("reader           published  delivered  conflated    missing  notices   closed by");
  for (const [index, reader] of readers.entries()) judge(reader, reports[index]);
  for (const { child } of slow) child.kill("SIGKILL");
  await wait(3_000);
  await askAll(fast, "latencies");
  await wait((seconds * 1_000) / 2);
  const again = await askAll(fast, "latencies");
  print("publication to program, p50 / p99 in ms, of the fast readers:");
  print(`without slow ones   ${shown(alone)}`);
  print(`with slow ones      ${shown(withSlow)}`);
  print(`without, again      ${shown(again)}`);
  const mib = (bytes) => Math.round(bytes / MIB);
  print(
    `resident at most ${mib(aloneBytes)} MiB without slow ones, ${mib(withSlowBytes)} with them`,
  );
  // What may be owed to six readers, and what the sockets hold.
  const grown = withSlowBytes - aloneBytes;
  expect(grown < SLOW.length * 12 * MIB + 64 * MIB, `memory grew by ${mib(grown)} MiB`);
} finally {
  for (const child of children) child.kill("SIGKILL");
}
for (const problem of problems) print(`WRONG ${problem}`);
print(problems.length === 0 ? "every sequence is accounted for" : `${problems.length} faults`);
process.exit(problems.length === 0 ? 0 : 1);
