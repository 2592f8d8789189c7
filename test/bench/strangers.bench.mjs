// How long a bystander's RPC takes while strangers do to a gateway whatever their limits allow,
// and how long the turns of the gateway's event loop become.
// Runs on the build: `npm run build && node test/bench/strangers.bench.mjs [seconds] [transport]
// [attack]`. Read the figures beside those of "nobody", which come from the same minutes.
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import WebSocket from "ws";

const v1 = tickwire.v1;
const frame = (...messages) => v1.ClientFrame.encode({ messages }).finish();
const seconds = Number(process.argv[2] ?? 4);
const transport = process.argv[3] ?? "uws";
const only = process.argv[4];
const PAUSE_MS = 5;
const print = (line) => process.stdout.write(`${line}\n`);
const file = (name) => new URL(`strangers/${name}`, import.meta.url).pathname;
const VENUES = { one: 10_000, two: 10_000, three: 10_000, four: 10_000, lost: 10_000 };
const gatewayFile = new URL("turns/gateway.mjs", import.meta.url).pathname;
const attacks = JSON.parse(
  execFileSync(process.execPath, [file("attacks.mjs")], { encoding: "utf8" }),
);

/** Milliseconds that calls of GetServerTime take, one after the other, until the time is over. */
async function bystand(port, child, attack) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/ws`, "tickwire.v1");
  await once(socket, "open");
  socket.send(frame({ hello: { protocolVersion: 1, clientName: "bystander" } }));
  await once(socket, "message");
  attack();
  await wait(800);
  child.send({ kind: "reset" });
  const took = [];
  const endsAt = performance.now() + seconds * 1000;
  for (let callId = 1; performance.now() < endsAt; callId += 1) {
    const startedAt = performance.now();
    socket.send(frame({ call: { callId, method: "tickwire.v1.MarketData/GetServerTime" } }));
    // Whoever gets no answer at all has waited until the end.
    await Promise.race([once(socket, "message"), wait(endsAt - startedAt + 10_000)]);
    took.push(performance.now() - startedAt);
    await wait(PAUSE_MS);
  }
  socket.terminate();
  return took.toSorted((one, other) => one - other);
}

async function measure(name) {
  const child = fork(gatewayFile, [JSON.stringify({ transport, venues: VENUES, bookLevels: 0 })]);
  const [{ port }] = await once(child, "message");
  let attacker;
  const attack = () => {
    if (name === "nobody") return;
    const stdio = ["ignore", "ignore", "inherit"];
    attacker = spawn(process.execPath, [file("attacks.mjs"), port, name], { stdio });
  };
  const took = await bystand(port, child, attack);
  child.send({ kind: "report" });
  const unknown = { turnMsMax: Infinity, turnMsMaxWithoutGc: Infinity, turnMsP99: Infinity };
  const late = { ...unknown, cpuMs: seconds * 1000, rssMb: NaN };
  const [report] = await Promise.race([once(child, "message"), wait(10_000, [late])]);
  attacker?.kill("SIGKILL");
  child.kill("SIGKILL");
  const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))].toFixed(1);
  const columns = [
    at(0.5),
    at(0.99),
    at(1),
    report.turnMsP99.toFixed(1),
    report.turnMsMax.toFixed(1),
    report.turnMsMaxWithoutGc.toFixed(1),
  ];
  const cpu = ((report.cpuMs / (seconds * 1000)) * 100).toFixed(0);
  print(
    [
      name.padEnd(30),
      ...columns.map((text) => text.padStart(9)),
      `${cpu} %`.padStart(7),
      `${report.rssMb.toFixed(0)} MB`.padStart(8),
    ].join(""),
  );
}

print(`${seconds} s on ${transport}; milliseconds`);
print(
  [
    " ".repeat(30),
    ...["RPC p50", "p99", "max", "turn p99", "max", "less GC"].map((text) => text.padStart(9)),
    "CPU".padStart(7),
    "memory".padStart(8),
  ].join(""),
);
for (const name of only === undefined ? ["nobody", ...attacks] : [only]) await measure(name);
// Timers that nobody waits for any more would keep the process.
process.exit();
