// CPU and memory of a deriver that makes candles of many instruments.
// Runs on the build and a nats-server from PATH:
// `npm run build && node test/bench/derive.bench.mjs [instruments] [changesPerSecond] [seconds]`.
// The simulated market moves each instrument at an even rate of book changes; about one in two
// comes of a trade. Ingestor, deriver and nats-server are processes of their own, and what is
// measured is the processor time of the deriver alone, so that others on the machine do not count.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const instruments = Number(process.argv[2] ?? 5_000);
const changesPerSecond = Number(process.argv[3] ?? 1);
const seconds = Number(process.argv[4] ?? 30);
const NATS_PORT = 14_343;
const START_MS_MAX = 90_000;
/** Ticks of /proc a second on Linux. */
const TICKS_PER_SECOND = 100;
const print = (line) => process.stdout.write(`${line}\n`);
const program = new URL("../../services/cli/tickwire.mjs", import.meta.url).pathname;
const store = mkdtempSync(join(tmpdir(), "derive-bench-"));
const children = [];

process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(store, { recursive: true, force: true });
});

function start(command, args, environment = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...environment } });
  children.push(child);
  child.said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => void (child.said = (child.said + chunk).slice(-20_000)));
  }
  return child;
}

async function until(isSo, what) {
  const deadlineMs = performance.now() + START_MS_MAX;
  while (!(await isSo())) {
    for (const { exitCode, signalCode, said } of children) {
      if (exitCode ?? signalCode) throw new Error(`one ended: ${said.slice(-2_000)}`);
    }
    if (performance.now() > deadlineMs) throw new Error(`${what} did not come`);
    await wait(100);
  }
}

async function metricsOf(child) {
  const [, port] = /"port":(\d+),"msg":"admin server listens"/.exec(child.admin) ?? [];
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
  const text = (await answer?.text()) ?? "";
  return (name) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
}

async function service(command, environment) {
  const child = start(process.execPath, [program, command, "--admin-port", "0"], environment);
  await until(() => child.said.includes("admin server listens"), `the ${command}`);
  child.admin = child.said;
  return child;
}

/** Processor time that a process has had, in seconds. */
function cpuOf({ pid }) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memoryOf({ pid }) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(kilobytes) / 1_024);
}

start("nats-server", ["-a", "127.0.0.1", "-p", String(NATS_PORT)]);
await wait(500);
const simulated = {
  instruments,
  perpetuals: 0,
  eventsPerSecond: changesPerSecond,
  pace: "even",
  bookLevels: 10,
  haltIntervalMs: 0,
  listingIntervalMs: 0,
};
const channels = ["trades", "quotes"];
const bus = { TICKWIRE_BUS__NATS__SERVERS: `nats://127.0.0.1:${NATS_PORT}` };
await service("ingest", {
  ...bus,
  TICKWIRE_INGEST__VENUES: JSON.stringify([{ id: "simulated", channels, simulated }]),
});
const derive = await service("derive", {
  ...bus,
  TICKWIRE_DERIVE__CANDLES__INSTRUMENTS_MAX: String(instruments),
  TICKWIRE_DERIVE__TOPICS_MAX: String(instruments * 4),
});
await until(async () => {
  const value = await metricsOf(derive);
  return value("tickwire_derive_candle_instruments") === instruments;
}, "the candles of all instruments");
// What is asked for at the start, and the first candles of each length, are behind it by then.
await wait(15_000);
const [before, cpuBefore, fromMs] = [await metricsOf(derive), cpuOf(derive), performance.now()];
await wait(seconds * 1_000);
const [after, cpu] = [await metricsOf(derive), cpuOf(derive) - cpuBefore];
const passed = (performance.now() - fromMs) / 1_000;
const trades = after("tickwire_derive_trades_total") - before("tickwire_derive_trades_total");
const told = after("tickwire_derive_events_total") - before("tickwire_derive_events_total");
const closed =
  after("tickwire_derive_candles_closed_total") - before("tickwire_derive_candles_closed_total");
print(`${instruments} instruments, ${Math.round(trades / passed)} trades a second`);
print(`${((100 * cpu) / passed).toFixed(1)} % of a core, ${memoryOf(derive)} MiB`);
print(`${((1e6 * cpu) / trades).toFixed(1)} us a trade`);
print(`${Math.round(told / passed)} events told a second, ${Math.round(closed / passed)} closed`);
process.exit(0);
