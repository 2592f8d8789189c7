// How long the longest turn of a gateway's event loop is while it is given much at once: a pattern
// of 10,000 topics, a snapshot of 5 MB, 5,000 sessions that subscribe 50 topics each in one moment,
// a catalog of 50,000 instruments, access that is revoked, NATS that is gone and back. Ten
// milliseconds are what each may take. A bare server of uWebSockets.js that is given the same says
// what the platform takes for itself.
import { execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { PROGRAM_OPTIONS } from "../load/program-options.mjs";
import { alternateFigures, row } from "./measure.mjs";

const file = (name) => new URL(`../turns/${name}`, import.meta.url).pathname;
const loads = file("loads.mjs");
const ROUNDS_MAX = 3;
/** The one of little work. */
const QUICK = "snapshot of 5 MB, twice";

/** What the gateway's process said of its turns, once the load has ended. */
async function turnsOf(name, { gateway, seconds, waitMs = 0 }) {
  const options = JSON.stringify({ transport: "uws", ...(gateway === "bare" ? {} : gateway) });
  const child =
    gateway === "bare"
      ? fork(file("bare-server.mjs"), [options])
      : fork(file("gateway.mjs"), [options], { execArgv: PROGRAM_OPTIONS });
  const [{ port }] = await once(child, "message");
  const load = fork(loads, [String(port), name]);
  // What the load says is for the gateway, and what the gateway says is for the load.
  load.on("message", (message) => child.send(message));
  child.on("message", (message) => load.connected && load.send(message));
  const timer = setTimeout(() => load.kill("SIGKILL"), seconds * 1000);
  const [code] = await once(load, "exit");
  clearTimeout(timer);
  await wait(waitMs);
  child.send({ kind: "report" });
  let report;
  do [report] = await once(child, "message");
  while (report.turns === undefined);
  child.disconnect();
  await once(child, "exit");
  if (code !== 0) process.stdout.write(`${name}: the load did not finish within ${seconds} s\n`);
  return report;
}

export const about =
  "the longest turn of the gateway's event loop, without the time that others had the CPU";

export async function run({ rounds, quick, only = "" }) {
  const cases = JSON.parse(execFileSync(process.execPath, [loads], { encoding: "utf8" }));
  const hasNats = spawnSync("nats-server", ["--version"]).error === undefined;
  const chosen = Object.entries(cases).filter(([name, { gateway }]) => {
    if (!name.includes(only)) return false;
    const isLeftOut = gateway.nats === true && !hasNats;
    if (isLeftOut) process.stdout.write(`${name}: left out, as nats-server is not installed\n`);
    return !isLeftOut;
  });
  const rows = [];
  for (const [name, how] of quick ? chosen.filter(([name]) => name === QUICK) : chosen) {
    const reports = [];
    const candidates = {
      turn: async () => {
        reports.push(await turnsOf(name, how));
        return reports.at(-1).turnMsMax;
      },
    };
    // Each look is at processes of its own, of which the first is as good as the last.
    const looks = { rounds: how.isOfGoals ? Math.min(rounds, ROUNDS_MAX) : 1, isWarm: true };
    const { turn } = await alternateFigures(candidates, looks);
    const measured = reports.slice(-turn.length);
    const figures = (key) => measured.map((report) => report[key]);
    rows.push(row(name, "longest", "ms", turn, { target: how.gateway === "bare" ? "" : "<= 10" }));
    rows.push(row(name, "without garbage collection", "ms", figures("turnMsMaxWithoutGc")));
    rows.push(row(name, "99th percentile", "ms", figures("turnMsP99")));
    rows.push(row(name, "memory at the end", "MB", figures("rssMb")));
  }
  return rows;
}
