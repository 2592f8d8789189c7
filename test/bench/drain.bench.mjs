// Two gateways behind HAProxy that are restarted one after the other under many clients: what the
// clients miss or get twice, and how many connections end in any second.
// Runs on the build, with nats-server and haproxy installed:
// `npm run build && node test/bench/drain.bench.mjs [clients] [closes a second] [uws | node]`.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const clients = Number(process.argv[2] ?? 1_000);
const closesPerSecondMax = Number(process.argv[3] ?? 100);
const transport = process.argv[4] ?? "uws";
const WORKERS = 4;
const LAME_DUCK_MS = 1_000;
const WINDOW_MS = 8_000;
// The tellings, the window and half as much again, of which a gateway uses four fifths.
const DEADLINE_MS = Math.ceil(
  ((clients / closesPerSecondMax) * 1_000 + WINDOW_MS + LAME_DUCK_MS) * 1.9,
);
const PORTS = { nats: 20_411, proxy: 20_412, gateways: [20_413, 20_414], admins: [20_415, 20_416] };
const BIN = new URL("../../services/cli/tickwire.mjs", import.meta.url).pathname;
const print = (line) => process.stdout.write(`${line}\n`);
const children = new Set();

const environment = {
  ...process.env,
  TICKWIRE_BUS__NATS__SERVERS: `nats://127.0.0.1:${PORTS.nats}`,
  TICKWIRE_GATEWAY__TRANSPORT: transport,
  TICKWIRE_GATEWAY__LAME_DUCK_MS: String(LAME_DUCK_MS),
  TICKWIRE_GATEWAY__DRAIN_WINDOW_MS: String(WINDOW_MS),
  TICKWIRE_GATEWAY__DRAIN_CLOSES_PER_SECOND_MAX: String(closesPerSecondMax),
  TICKWIRE_GATEWAY__LAG_NOTICE_MS: "60000",
  TICKWIRE_GATEWAY__LAG_MS_MAX: "120000",
  TICKWIRE_SHUTDOWN__DEADLINE_MS: String(DEADLINE_MS),
  TICKWIRE_INGEST__ANNOUNCE_INTERVAL_MS: "500",
  TICKWIRE_INGEST__VENUES: JSON.stringify([
    { id: "simulated", simulated: { seed: 5, instruments: 1, eventsPerSecond: 5, pace: "even" } },
  ]),
};

function start(command, args, pattern) {
  const child = spawn(command, args, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
  children.add(child);
  child.log = "";
  const ready = new Promise((resolve, reject) => {
    child.stderr.on("data", (chunk) => {
      child.log += chunk;
      if (pattern.test(child.log)) resolve(child);
    });
    child.once("exit", () => {
      children.delete(child);
      reject(new Error(`${command} ${args[0]} ended: ${child.log.slice(-1_000)}`));
    });
  });
  ready.catch(() => undefined);
  return ready;
}

async function startGateway(index) {
  const ports = ["--port", PORTS.gateways[index], "--admin-port", PORTS.admins[index]].map(String);
  const child = await start(process.execPath, [BIN, "gateway", ...ports], /gateway listens/);
  const ready = `http://127.0.0.1:${PORTS.admins[index]}/readyz`;
  while (
    !(await fetch(ready).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await wait(50);
  return child;
}

async function startProxy() {
  const servers = PORTS.gateways.map(
    (port, index) =>
      `  server g${index} 127.0.0.1:${port} check port ${PORTS.admins[index]} inter 200ms fall 1 rise 1`,
  );
  const file = join(mkdtempSync(join(tmpdir(), "tickwire-bench-")), "haproxy.cfg");
  writeFileSync(
    file,
    `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  retries 3
  option redispatch 1
listen gateways
  bind 127.0.0.1:${PORTS.proxy} backlog 4096
  balance roundrobin
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 127.0.0.1
${servers.join("\n")}
`,
  );
  // It says nothing when it is ready; what it says when it cannot start ends the run.
  await Promise.race([start("/usr/sbin/haproxy", ["-db", "-f", file], /ALERT/), wait(500)]);
}

/** The most of these times that lie in any second. */
function busiestSecond(times) {
  const sorted = times.toSorted((one, two) => one - two);
  let first = 0;
  let most = 0;
  for (const [index, at] of sorted.entries()) {
    while (sorted[first] <= at - 1_000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

const timesOf = (log, pattern) =>
  log
    .split("\n")
    .filter((line) => line.includes('"session closed"') && pattern.test(line))
    .map((line) => new Date(JSON.parse(line).time).getTime());

/** Asks every worker for what its clients have, and sums it up. */
async function report(workers) {
  const reports = await Promise.all(
    workers.map(async (worker) => {
      worker.send("report");
      const [one] = await once(worker, "message");
      return one;
    }),
  );
  return reports.reduce((sum, one) =>
    Object.fromEntries(Object.entries(sum).map(([name, value]) => [name, value + one[name]])),
  );
}

async function restart(gateways, index) {
  const child = gateways[index];
  const startedMs = performance.now();
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  const tookMs = performance.now() - startedMs;
  const gone = timesOf(child.log, /./);
  const closed = timesOf(child.log, /"by":"gateway"/);
  const drained = child.log.split("\n").find((line) => line.includes("gateway has drained"));
  const { left, closed: byGateway, cut } = JSON.parse(drained ?? "{}");
  print(
    `gateway ${index}: exit ${code} after ${(tookMs / 1_000).toFixed(1)} s; ${left} left, ` +
      `${byGateway} closed, ${cut} cut; in any second at most ${busiestSecond(gone)} ended, ` +
      `${busiestSecond(closed)} of them by the gateway (rate ${closesPerSecondMax})`,
  );
  gateways[index] = await startGateway(index);
}

try {
  const nats = ["-a", "127.0.0.1", "-p", String(PORTS.nats)];
  await start("/usr/sbin/nats-server", nats, /Server is ready/);
  await start(process.execPath, [BIN, "ingest", "--admin-port", "0"], /ingesting/);
  const gateways = [await startGateway(0), await startGateway(1)];
  print("gateways serve");
  await startProxy();
  const workers = Array.from({ length: WORKERS }, () => {
    const file = new URL("drain/clients.mjs", import.meta.url).pathname;
    const child = fork(file, [`ws://127.0.0.1:${PORTS.proxy}`, String(clients / WORKERS)]);
    children.add(child);
    return child;
  });
  await Promise.all(workers.map((worker) => once(worker, "message")));
  print(`${clients} clients on ${transport}: ${JSON.stringify(await report(workers))}`);
  await restart(gateways, 0);
  await restart(gateways, 1);
  await wait(2_000);
  print(JSON.stringify(await report(workers)));
} finally {
  for (const child of children) child.kill("SIGKILL");
}
process.exit();
