// The gateway that `strangers.bench.mjs` and the benchmark `stall` try: venues on a memory bus, one
// of which has lost its ingestor if it is so named. It says its port over IPC, takes what to do
// from there, and says how long the turns of its event loop are (turn-monitor.mjs). What ingestors
// would answer is encoded before anything is measured, so that only the gateway's work counts.
// `node gateway.mjs '{"transport":"uws","config":{},"venues":{"one":10000},"bookLevels":0}'`
import { Registry } from "prom-client";
import { MemoryBus } from "#bus/memory-bus.ts";
import { announceSubject, eventSubject, parseQuerySubject, queryPattern } from "#bus/subject.ts";
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
import { watchTurns } from "./turn-monitor.mjs";

const options = JSON.parse(process.argv[2]);
const CHANNELS = ["TRADES", "QUOTES", "BOOK", "STATUS"].map((name) => `CHANNEL_${name}`);
const EPOCH = 4_711;
const PAGE = 500;
const LOST = "lost";

const clock = new SystemClock();
const bus = new MemoryBus({ clock, payloadBytesMax: 16 * 1024 * 1024 });
const encodedPages = new Map();

function instrumentOf(venue, index) {
  return {
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
  };
}

/** Encodes the venue's list, page by page. */
function list(venue, { version, first, count }) {
  const instruments = Array.from({ length: count }, (_, index) =>
    instrumentOf(venue, first + index),
  );
  instruments.sort((one, other) => (one.symbol < other.symbol ? -1 : 1));
  const pages = new Map();
  for (let start = 0, after = ""; start < count; start += PAGE) {
    const some = instruments.slice(start, start + PAGE);
    const reply = { catalogVersion: version, instruments: some, more: start + PAGE < count };
    pages.set(after, encodeQueryReply(encodeCatalogReply(reply)));
    after = some.at(-1).symbol;
  }
  encodedPages.set(venue, pages);
}

const EMPTY_STATES = new Map(
  ["trades", "quotes", "book", "status"].map((channel) => {
    const state = encodeState({ channel, epoch: EPOCH, sequence: 0 }, [], clock.nowUs());
    return [channel, encodeQueryReply(encodeSnapshotReply(state))];
  }),
);

function bookReply(levels) {
  const numbers = Array.from({ length: levels / 2 }, (_, index) => index);
  const side = (from, step) => ({
    prices: numbers.map((index) => from + step * (index * 40 + ((index * 7_919) % 37))),
    sizes: numbers.map((index) => 1_000_003 + ((index * 104_729) % 90_000_000)),
  });
  const event = {
    kind: "book",
    venueTimeUs: clock.nowUs(),
    receivedTimeUs: clock.nowUs(),
    snapshot: true,
    priceScale: 2,
    sizeScale: 6,
    bids: side(900_000_000, -1),
    asks: side(900_000_007, 1),
  };
  const at = { channel: "book", epoch: EPOCH, sequence: 1 };
  return encodeQueryReply(encodeSnapshotReply(encodeState(at, [event], clock.nowUs())));
}
const book = options.bookLevels > 0 ? bookReply(options.bookLevels) : EMPTY_STATES.get("book");

function answer({ subject, payload }) {
  const { query, venue, channel, symbol } = parseQuerySubject(subject);
  if (query === "catalog")
    return encodedPages.get(venue).get(decodeCatalogRequest(payload).afterSymbol);
  if (query !== "snapshot") return encodeQueryReply(new Uint8Array(0));
  return channel === "book" && symbol === "SYM0-USDT" ? book : EMPTY_STATES.get(channel);
}

const responders = new Map();
for (const [venue, count] of Object.entries(options.venues)) {
  list(venue, { version: 1, first: 0, count });
  const pattern = queryPattern({ venue, publisherId: venue });
  responders.set(
    venue,
    bus.subscribe(pattern, (message) => message.respond(answer(message))),
  );
}
const announce = (venue, announceIntervalMs, catalogVersion = 1) => {
  const announcement = { ingestorId: venue, venue, catalogVersion, announceIntervalMs };
  bus.publish(announceSubject(venue), encodeAnnouncement({ ...announcement, epoch: EPOCH }));
};
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
    responders.get(LOST)?.unsubscribe();
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
    ...options.config,
  }),
  bus,
  clock,
  logger,
  registry,
});
for (const venue of wanted) announce(venue, venue === LOST ? 500 : 600_000);
// It is there until its catalog is, and then it is not.
const staying = setInterval(() => {
  if (catalogs >= wanted.length) clearInterval(staying);
  else if (wanted.includes(LOST)) announce(LOST, 500);
}, 250);

const turns = watchTurns();
let cpu = process.cpuUsage();
process.on("message", ({ kind, ...what }) => {
  if (kind === "reset") {
    turns.reset();
    cpu = process.cpuUsage();
  } else if (kind === "keep") {
    setImmediate(() => {
      turns.keep();
      process.send({ kept: true });
    });
  } else if (kind === "list") {
    list(what.venue, what);
  } else if (kind === "announce") {
    announce(what.venue, 600_000, what.version);
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
process.on("disconnect", () => process.exit());
