// Kills the ingestor that publishes a venue, again and again, while another one stands by, and
// counts what a client gets by the venue's own trade ids, which rise by one. Each ingestor has a
// connection of its own to the market, which runs in this process: what it says of trades that an
// ingestor lost there, or steps that were left out, is no fault of a takeover, and is told apart.
// Runs on the build and a nats-server from PATH:
// `npm run build && node test/bench/standby.bench.mjs [takeovers] [lease|word]`.
// Ends with code 1 if a trade was missing or came twice.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "@tickwire/client";
import { serveMarket } from "./load/market.mjs";

const takeovers = Number(process.argv[2] ?? 5);
const byLease = (process.argv[3] ?? "lease") === "lease";
const NATS_PORT = 14_333;
const GATEWAY_PORT = 14_334;
const print = (line) => process.stdout.write(`${line}\n`);
const program = new URL("../../services/cli/tickwire.mjs", import.meta.url).pathname;
const children = new Set();

process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** A child that ends with this process, with what it has said so far. */
function start(command, args, environment = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...environment } });
  children.add(child);
  child.said = "";
  child.on("close", () => children.delete(child));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => void (child.said += chunk));
  }
  return child;
}

async function says(child, pattern) {
  while (!pattern.test(child.said)) {
    const { exitCode, signalCode } = child;
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`it ended with ${exitCode ?? signalCode}: ${child.said.slice(-2_000)}`);
    }
    await wait(10);
  }
}

let ingestors = 0;
const store = mkdtempSync(join(tmpdir(), "standby-bench-"));
const { endpoints, seen: market } = await serveMarket({ eventsPerSecond: 100, pace: "even" });
const environment = {
  TICKWIRE_BUS__NATS__SERVERS: `nats://127.0.0.1:${NATS_PORT}`,
  TICKWIRE_INGEST__VENUES: JSON.stringify([{ id: "simulated", endpoints }]),
  TICKWIRE_INGEST__STANDBY__LEASE: byLease ? "jetstream" : "none",
};
const ingest = () => {
  ingestors += 1;
  return start(process.execPath, [program, "ingest", "--admin-port", "0"], environment);
};
start("nats-server", ["-a", "127.0.0.1", "-p", String(NATS_PORT), "-js", "-sd", store]);
await wait(500);
let leader = ingest();
await says(leader, /this ingestor publishes/);
const gatewayArgs = ["gateway", "--port", String(GATEWAY_PORT), "--admin-port", "0"];
await says(start(process.execPath, [program, ...gatewayArgs], environment), /gateway listens/);

const ids = new Map();
let doubled = 0;
let lastAtMs = performance.now();
let pauseMs = 0;
const client = await connect(`ws://127.0.0.1:${GATEWAY_PORT}`);
/** What was told to be lost: gaps of trades, and topics that another publisher began anew. */
const told = { gaps: 0, gapEvents: 0, replaced: 0, feedGaps: 0 };
client.subscribe(["simulated:*/trades", "simulated:*/status"], (event) => {
  if (event.type === "gap" && event.topic.endsWith("/trades")) {
    told.gaps += 1;
    told.gapEvents += (event.missingLast ?? event.missingFirst) - event.missingFirst + 1;
  }
  if (event.type === "continuity" && event.continuity === "replaced") told.replaced += 1;
  if (event.type === "status" && event.channel === "trades" && event.state === "gap") {
    told.feedGaps += 1;
  }
  if (event.type !== "trade") return;
  const nowMs = performance.now();
  pauseMs = Math.max(pauseMs, nowMs - lastAtMs);
  lastAtMs = nowMs;
  if (!ids.has(event.topic)) ids.set(event.topic, new Set());
  const known = ids.get(event.topic);
  if (known.has(event.tradeId)) doubled += 1;
  known.add(event.tradeId);
});

function missing() {
  let count = 0;
  for (const known of ids.values()) {
    const numbers = [...known].map(Number);
    count += Math.max(...numbers) - Math.min(...numbers) + 1 - known.size;
  }
  return count;
}

const outages = [];
for (let round = 1; round <= takeovers; round += 1) {
  const standby = ingest();
  await says(standby, /nothing is published here/);
  await wait(4_000);
  pauseMs = 0;
  leader.kill("SIGKILL");
  await says(standby, /this ingestor publishes/);
  await wait(3_000);
  outages.push(pauseMs);
  print(`${round}: ${Math.round(pauseMs)} ms, ${missing()} missing, ${doubled} doubled`);
  if (process.env.STANDBY_LOG) print(standby.said.split("\n").slice(-5).join("\n"));
  leader = standby;
}
outages.sort((one, other) => one - other);
const trades = [...ids.values()].reduce((sum, known) => sum + known.size, 0);
print(
  `${trades} trades, ${missing()} missing, ${doubled} doubled; outage ` +
    `${Math.round(outages[outages.length >> 1])} ms in the middle, ${Math.round(outages.at(-1))} at most`,
);
print(
  `told: ${told.gaps} gaps of ${told.gapEvents} trades, ${told.replaced} topics replaced, ` +
    `${told.feedGaps} feeds with a gap`,
);
print(
  `the market: ${market.connections - ingestors} connections made anew, at most ` +
    `${market.unreadBytesMax} bytes unread, ${market.skippedSteps} steps left out`,
);
client.close();
rmSync(store, { recursive: true, force: true });
process.exit(missing() + doubled > 0 ? 1 : 0);
