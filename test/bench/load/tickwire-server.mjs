// A gateway whose topics are published in the same process: publisher, memory bus, hub, sessions,
// sockets. `node tickwire-server.mjs '{"topics":1,"config":{}}'`, forked; turns.mjs says what it
// takes over IPC. With `nats`, an address, what is published goes by that server and comes back;
// with `follows` another process publishes there; with `stamped`, the id of each trade is a stamp.
import { setTimeout as wait } from "node:timers/promises";
import { Registry } from "prom-client";
import { MemoryBus } from "#bus/memory-bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { announceSubject, DISCOVER_SUBJECT } from "#bus/subject.ts";
import { TradeAt, TradeTick } from "#core/market-tick.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGatewayThread } from "#cli/process/gateway-threads.ts";
import { startGateway } from "#gateway/main.ts";
import { startGatewayWorkers } from "#gateway/workers/gateway-workers.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { QueryResponder } from "#publish/query-responder.ts";
import { StreamedInstruments } from "#publish/streamed-instruments.ts";
import { VenueListings } from "#publish/venue-listings.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { encodeAnnouncement } from "#wire/bus-codec.ts";
import { stampOfNow } from "./stamp.mjs";
import { CpuWatch, serveTurns } from "./turns.mjs";

const options = JSON.parse(process.argv[2]);
const EPOCH = 4_711;
const VENUE = "bench";
const silent = () => {};
const logger = {
  debug: silent,
  info: silent,
  warn: silent,
  error: (fields, message) => process.stderr.write(`${message} ${fields.error?.stack}\n`),
};
const clock = new SystemClock();
const bus =
  options.nats === undefined
    ? new MemoryBus({ clock, payloadBytesMax: 16 * 1024 * 1024 })
    : await connectNatsBus({ servers: [options.nats] });

const instruments = Array.from({ length: options.topics }, (_, index) => ({
  venue: VENUE,
  symbol: `SYM${String(index).padStart(5, "0")}-USDT`,
  venueSymbol: `SYM${index}USDT`,
  kind: "spot",
  base: `SYM${index}`,
  quote: "USDT",
  settle: "USDT",
  inverse: false,
  priceIncrement: "0.01",
  sizeIncrement: "0.000001",
}));

/** Of flushes as well: batches are encoded, kept, and given to the bus. */
const publishing = new CpuWatch();

const publisher = new Publisher({
  bus,
  clock,
  epoch: EPOCH,
  limits: PUBLISH_LIMITS_DEFAULTS,
  schedule: (flush) => void setImmediate(() => publishing.run(flush)),
  counters: createPublisherCounters(),
  logger,
});

const streamed = new StreamedInstruments();
streamed.add(instruments.map((instrument) => ({ instrument, channel: "trades" })));
streamed.completed();
const responder = new QueryResponder({
  bus,
  publisherId: VENUE,
  clock,
  logger,
  venues: [
    {
      venue: VENUE,
      streamed,
      listings: new VenueListings({ venue: VENUE, clock, emit: silent }),
      publisher,
      liveBookOf: () => undefined,
    },
  ],
});

let price = 4_200_000;
let id = 3_141_592_653;
// As a venue's frame is read: numbers that its publisher takes over before the next one comes.
const tick = new TradeTick();
tick.priceScale = 2;
tick.sizeScale = 6;
const { numbers } = tick;
/** Trades as they come: a price near the last one, a size, an identifier one higher. */
function publish(topic, ticks) {
  tick.instrument = instruments[topic];
  const nowUs = clock.nowUs();
  for (let count = 0; count < ticks; count += 1) {
    id += 1;
    price += ((id * 7_919) % 21) - 10;
    numbers[TradeAt.Received] = nowUs;
    numbers[TradeAt.Venue] = nowUs - 40_000 - (id % 997);
    numbers[TradeAt.Price] = price;
    numbers[TradeAt.Size] = 1 + ((id * 104_729) % 5_000_000);
    numbers[TradeAt.Id] = options.stamped ? Number.NaN : id;
    if (options.stamped) tick.idText = stampOfNow();
    tick.side = id % 2 === 0 ? "buyer" : "seller";
    publisher.publishTick(tick);
  }
}

const registry = new Registry();
const config = gatewayConfig({
  port: 0,
  transport: options.transport ?? "uws",
  helloTimeoutMs: 60_000,
  subscriptionsMax: 20_000,
  topicsPerSecondMax: 1_000_000,
  topicsMax: 400_000,
  httpRequestsPerSecondMax: 1_000_000,
  httpRequestsPerSecondPerAddressMax: 1_000_000,
  connectionsPerAddressMax: 60_000,
  connectionsMax: 60_000,
  ...options.config,
});
const parts = { config, bus, clock, logger, registry };
const gateway =
  config.workers === 1
    ? await startGateway(parts)
    : await startGatewayWorkers({ ...parts, startThread: startGatewayThread("error") });
const announcement = { ingestorId: VENUE, venue: VENUE, catalogVersion: streamed.version };
const announce = () =>
  bus.publish(
    announceSubject(VENUE),
    encodeAnnouncement({ ...announcement, announceIntervalMs: 600_000, epoch: EPOCH }),
  );
if (options.follows !== true) {
  responder.start();
  bus.subscribe(DISCOVER_SUBJECT, announce);
  announce();
}
// A thread hears of the venue a moment later, and refuses its topics until then.
while (gateway.notReadyReasons().length > 0) await wait(20);
const metrics = async () => (await registry.metrics()) + (await gateway.metricsOfThreads());
let busyBefore;
serveTurns({
  port: gateway.port,
  topics: options.topics,
  publish,
  publishing,
  subscriptions: async () => {
    return Number(/^tickwire_gateway_subscriptions (\d+)$/m.exec(await metrics())?.[1] ?? 0);
  },
  busy: async () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, busyBefore);
    busyBefore = now;
    const ofWorkers = (await metrics()).matchAll(/^tickwire_gateway_worker_busy_ratio{.*} (.*)$/gm);
    return { process: utilization, workers: [...ofWorkers].map(([, ratio]) => Number(ratio)) };
  },
});
