// The gateway that `strangers.bench.mjs` and the benchmark `stall` try: venues on a memory bus or
// over NATS (venues.mjs), one of which has lost its ingestor if it is so named. It says its port
// over IPC, takes what to do from there, and says how long the turns of its event loop are
// (turn-monitor.mjs). With `key` it serves who shows that one.
// `node gateway.mjs '{"transport":"uws","config":{},"venues":{"one":10000},"bookLevels":0}'`
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Registry } from "prom-client";
import { MemoryBus } from "#bus/memory-bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { eventSubject, REVOCATIONS_SUBJECT } from "#bus/subject.ts";
import { hashOfKey, keyIdOf } from "#gateway/access/api-keys.ts";
import { encodeRevocations } from "#gateway/access/revocations.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { standStill, watchTurns } from "./turn-monitor.mjs";
import { serveVenues } from "./venues.mjs";

const options = JSON.parse(process.argv[2]);
const LOST = "lost";

const clock = new SystemClock();

/** The bus, with the venues on it. */
async function openBus() {
  if (options.nats !== true) {
    const bus = new MemoryBus({ clock, payloadBytesMax: 16 * 1024 * 1024 });
    return { bus, venues: serveVenues({ bus, clock }, options) };
  }
  const file = new URL("venues.mjs", import.meta.url).pathname;
  const others = fork(file, [process.argv[2]]);
  const [{ url }] = await once(others, "message");
  return { bus: await connectNatsBus({ servers: url }), others };
}

/** An access file with the one key, as the configuration has it. */
function accessOf(key) {
  if (key === undefined) return {};
  const folder = mkdtempSync(join(tmpdir(), "tickwire-stall-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const file = join(folder, "access.json");
  const keys = [{ id: keyIdOf(key), hash: hashOfKey(key), roles: ["all"] }];
  writeFileSync(file, JSON.stringify({ keys }));
  return { access: { file } };
}

const { bus, venues, others } = await openBus();
const silent = () => {};
const wanted = Object.keys(options.venues);
let catalogs = 0;
const logger = {
  debug: silent,
  info: (_, message) => {
    if (message !== "the catalog of a venue changed") return;
    catalogs += 1;
    if (catalogs > wanted.length) process.send({ done: "catalog" });
    if (catalogs !== wanted.length) return;
    if (wanted.includes(LOST)) venues.silence(LOST);
    if (!wanted.includes(LOST)) process.send({ port: gateway.port });
  },
  warn: (_, message) => {
    if (message === "the ingestor is lost") process.send({ port: gateway.port });
  },
  error: (fields, message) => process.stderr.write(`${message} ${fields.error?.stack}\n`),
};
const registry = new Registry();
const gateway = await startGateway({
  config: gatewayConfig({
    port: 0,
    transport: options.transport,
    helloTimeoutMs: 60_000,
    ...accessOf(options.key),
    ...options.config,
  }),
  bus,
  clock,
  logger,
  registry,
});
for (const venue of wanted) venues?.announce(venue, venue === LOST ? 500 : undefined);
// It is there until its catalog is, and then it is not.
const staying = setInterval(() => {
  if (catalogs >= wanted.length) clearInterval(staying);
  else if (wanted.includes(LOST)) venues.announce(LOST, 500);
}, 250);

/** What operators and their programs read now and then. */
async function operate() {
  await registry.metrics();
  for (const name of ["sessions", "topics", "venues"]) {
    const page = gateway.state.pages.get(name);
    await page?.answer({ limit: 500, after: "", parameters: new Map() });
  }
  await gateway.state.summary();
}

/** The bus is gone and comes back; resolves when every topic has been compared. */
async function reconnect() {
  const back = new Promise((resolve) => {
    bus.onEvent(({ kind }) => kind === "reconnected" && resolve());
  });
  others.send({ kind: "restart" });
  await back;
  const waiting = registry.getSingleMetric("tickwire_gateway_queries_waiting");
  do await wait(1_000);
  while ((await waiting.get()).values[0].value > 0);
}

const turns = watchTurns();
let cpu = process.cpuUsage();
process.on("message", ({ kind, ...what }) => {
  if (kind === "reset") {
    turns.reset();
    cpu = process.cpuUsage();
  } else if (kind === "still") {
    standStill(what.ms);
  } else if (kind === "operate") {
    void operate().then(() => process.send({ done: "operate" }));
  } else if (kind === "keep") {
    setImmediate(() => {
      turns.keep();
      process.send({ kept: true });
    });
  } else if (kind === "list") {
    venues.list(what.venue, what);
    process.send({ done: "list" });
  } else if (kind === "announce") {
    venues.announce(what.venue, undefined, what.version);
  } else if (kind === "revoke") {
    const revocations = [{ kind: "key", id: keyIdOf(options.key) }];
    bus.publish(REVOCATIONS_SUBJECT, encodeRevocations(revocations));
  } else if (kind === "reconnect") {
    void reconnect().then(() => process.send({ done: "reconnect" }));
  } else if (kind === "publish") {
    bus.publish(eventSubject(what.topic), Buffer.from(what.payload, "base64"));
  } else {
    const used = process.cpuUsage(cpu);
    // Collections are known one turn later.
    setImmediate(() =>
      process.send({
        ...turns.report(),
        sessions: gateway.sessions,
        cpuMs: (used.user + used.system) / 1e3,
        rssMb: process.memoryUsage().rss / 1e6,
      }),
    );
  }
});
process.on("disconnect", () => {
  others?.disconnect();
  process.exit();
});
