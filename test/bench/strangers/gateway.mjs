// The gateway that `strangers.bench.mjs` attacks: five venues of 10,000 instruments each on a
// memory bus, one of which has lost its ingestor. It prints its port, and says over IPC how long
// the turns of its event loop take.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Registry } from "prom-client";
import { MemoryBus } from "#bus/memory-bus.ts";
import { announceSubject, parseQuerySubject, queryPattern } from "#bus/subject.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import {
  decodeCatalogRequest,
  encodeAnnouncement,
  encodeCatalogReply,
  encodeQueryReply,
  encodeSnapshotReply,
} from "#wire/bus-codec.ts";
import { encodeState } from "#wire/event-codec.ts";

const VENUES = ["one", "two", "three", "four", "lost"];
const INSTRUMENTS = 10_000;
const CHANNELS = ["TRADES", "QUOTES", "BOOK", "STATUS"].map((name) => `CHANNEL_${name}`);
const EPOCH = 4_711;

const clock = new SystemClock();
const bus = new MemoryBus({ clock });

function catalogOf(venue) {
  const instruments = Array.from({ length: INSTRUMENTS }, (_, index) => ({
    venue,
    symbol: `SYM${index}-USDT`,
    venueSymbol: `SYM${index}USDT`,
    base: `SYM${index}`,
    quote: "USDT",
    kind: "INSTRUMENT_KIND_SPOT",
    optionType: "OPTION_TYPE_UNSPECIFIED",
    sizeUnit: "SIZE_UNIT_BASE",
    channels: CHANNELS,
    priceIncrement: "0.01",
    sizeIncrement: "0.000001",
  }));
  instruments.sort((one, other) => (one.symbol < other.symbol ? -1 : 1));
  return { catalogVersion: 1, instruments };
}

function page({ catalogVersion, instruments }, afterSymbol) {
  const first = instruments.findIndex(({ symbol }) => symbol > afterSymbol);
  const some = instruments.slice(first, first + 500);
  const more = first + some.length < instruments.length;
  return encodeCatalogReply({ catalogVersion, instruments: some, more });
}

function answer({ subject, payload }, catalog) {
  const query = parseQuerySubject(subject);
  if (query.query === "catalog") {
    return encodeQueryReply(page(catalog, decodeCatalogRequest(payload)));
  }
  if (query.query !== "snapshot") return encodeQueryReply(new Uint8Array(0));
  const position = { channel: query.channel, epoch: EPOCH, sequence: 0 };
  return encodeQueryReply(encodeSnapshotReply(encodeState(position, [], clock.nowUs())));
}

const responders = new Map();
for (const venue of VENUES) {
  const catalog = catalogOf(venue);
  const pattern = queryPattern({ venue, publisherId: venue });
  responders.set(
    venue,
    bus.subscribe(pattern, (message) => message.respond(answer(message, catalog))),
  );
}
const announce = (venue, announceIntervalMs) => {
  const announcement = { ingestorId: venue, venue, catalogVersion: 1, announceIntervalMs };
  bus.publish(announceSubject(venue), encodeAnnouncement({ ...announcement, epoch: EPOCH }));
};
const silent = () => {};
let catalogs = 0;
const logger = {
  debug: silent,
  info: (_, message) => {
    if (message !== "the catalog of a venue changed") return;
    catalogs += 1;
    if (catalogs === VENUES.length) responders.get("lost").unsubscribe();
  },
  warn: (_, message) => {
    if (message === "the ingestor is lost") process.send({ port: gateway.port });
  },
  error: silent,
};
const gateway = await startGateway({
  config: gatewayConfig({ port: 0, transport: process.argv[2], helloTimeoutMs: 60_000 }),
  bus,
  clock,
  logger,
  registry: new Registry(),
});
// Its catalog is to come within three times this.
for (const venue of VENUES) announce(venue, venue === "lost" ? 2_000 : 600_000);

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let cpu = process.cpuUsage();
process.on("message", (message) => {
  if (message === "reset") {
    delay.reset();
    cpu = process.cpuUsage();
    return;
  }
  const used = process.cpuUsage(cpu);
  process.send({
    turnMsMax: delay.max / 1e6,
    turnMsP99: delay.percentile(99) / 1e6,
    cpuMs: (used.user + used.system) / 1e3,
    rssMb: process.memoryUsage().rss / 1e6,
  });
});
process.on("disconnect", () => process.exit());
