// How long the longest turn of a gateway's event loop is while it is given much at once: a pattern
// of 10,000 topics, a snapshot of 5 MB, 5,000 sessions that subscribe 50 topics each in one moment,
// a catalog of 50,000 instruments. Ten milliseconds are what each may take.
// Runs on the build: `npm run build && node test/bench/stall.bench.mjs [transport] [case]`.
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

const transport = process.argv[2] ?? "uws";
const only = process.argv[3];
const print = (line) => process.stdout.write(`${line}\n`);
const file = (name) => new URL(name, import.meta.url).pathname;
const loads = file("turns/loads.mjs");
const cases = JSON.parse(execFileSync(process.execPath, [loads], { encoding: "utf8" }));

async function measure(name, { gateway, seconds, waitMs = 0 }) {
  const execArgv = (process.env["GATEWAY_ARGV"] ?? "").split(" ").filter(Boolean);
  const options = JSON.stringify({ transport, ...(gateway === "bare" ? {} : gateway) });
  const server = gateway === "bare" ? "turns/bare-server.mjs" : "turns/gateway.mjs";
  const child = fork(file(server), [options], { execArgv });
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
  const numbers = [report.turnMsMax, report.turnMsMaxWithoutGc, report.turnMsP99].map((ms) =>
    ms.toFixed(1).padStart(9),
  );
  const rest = [
    String(report.turnsAbove10Ms).padStart(8),
    String(report.turns).padStart(9),
    `${report.rssMb.toFixed(0)} MB`.padStart(9),
  ];
  print([name.padEnd(44), ...numbers, ...rest].join("") + (code === 0 ? "" : "  NOT FINISHED"));
  for (const turn of process.env["TURNS"] === undefined ? [] : report.longest) {
    const part = (key) => `${key} ${turn[key].toFixed(1)}`;
    print(`    ${["busyMs", "cpuMs", "wallMs", "gcMs"].map(part).join("  ")}`);
  }
}

print(`${transport}; milliseconds, without the time that others had the CPU`);
const columns = ["longest", "less GC", "p99"].map((text) => text.padStart(9));
print(["".padEnd(44), ...columns, "> 10 ms".padStart(8), "turns".padStart(9)].join(""));
for (const [name, how] of Object.entries(cases)) {
  if (only === undefined || name.startsWith(only)) await measure(name, how);
}
process.exit();
