// What ingestors would say to the gateway of gateway.mjs: their lists, snapshots and announcements,
// all of it encoded before anything is measured. On the bus of the gateway's own process, or over
// NATS: `node venues.mjs '{"venues":{"one":10000},"bookLevels":0}'`, forked, starts a server, says
// its address over IPC, and lets it end and start again when it is told to.
import { connectNatsBus } from "#bus/nats-bus.ts";
import {
  announceSubject,
  DISCOVER_SUBJECT,
  parseQuerySubject,
  queryPattern,
} from "#bus/subject.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import {
  decodeCatalogRequest,
  encodeAnnouncement,
  encodeCatalogReply,
  encodeQueryReply,
  encodeSnapshotReply,
} from "#wire/bus-codec.ts";
import { encodeState } from "#wire/event-codec.ts";
import { startNats } from "../load/nats.mjs";

const CHANNELS = ["TRADES", "QUOTES", "BOOK", "STATUS"].map((name) => `CHANNEL_${name}`);
const EPOCH = 4_711;
const PAGE = 500;
/** Announced as the interval, so that nobody is lost while a load takes its time. */
const ANNOUNCE_INTERVAL_MS = 600_000;

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

/** A venue's list, page by page. */
function pagesOf(venue, { version, count }) {
  const instruments = Array.from({ length: count }, (_, index) => instrumentOf(venue, index));
  instruments.sort((one, other) => (one.symbol < other.symbol ? -1 : 1));
  const pages = new Map();
  for (let start = 0, after = ""; start < count; start += PAGE) {
    const some = instruments.slice(start, start + PAGE);
    const reply = { catalogVersion: version, instruments: some, more: start + PAGE < count };
    pages.set(after, encodeQueryReply(encodeCatalogReply(reply)));
    after = some.at(-1).symbol;
  }
  return pages;
}

function bookReply(levels, nowUs) {
  const numbers = Array.from({ length: levels / 2 }, (_, index) => index);
  const side = (from, step) => ({
    prices: numbers.map((index) => from + step * (index * 40 + ((index * 7_919) % 37))),
    sizes: numbers.map((index) => 1_000_003 + ((index * 104_729) % 90_000_000)),
  });
  const event = {
    kind: "book",
    venueTimeUs: nowUs,
    receivedTimeUs: nowUs,
    snapshot: true,
    priceScale: 2,
    sizeScale: 6,
    bids: side(900_000_000, -1),
    asks: side(900_000_007, 1),
  };
  const at = { channel: "book", epoch: EPOCH, sequence: 1 };
  return encodeQueryReply(encodeSnapshotReply(encodeState(at, [event], nowUs)));
}

/** Answers for the venues until `silence`. Who is announced has its list of that version. */
export function serveVenues({ bus, clock }, { venues, bookLevels }) {
  const nowUs = clock.nowUs();
  const states = new Map(
    ["trades", "quotes", "book", "status"].map((channel) => {
      const state = encodeState({ channel, epoch: EPOCH, sequence: 0 }, [], nowUs);
      return [channel, encodeQueryReply(encodeSnapshotReply(state))];
    }),
  );
  const book = bookLevels > 0 ? bookReply(bookLevels, nowUs) : states.get("book");
  /** By venue and version. */
  const lists = new Map();
  const announced = new Map();

  function answer({ subject, payload }) {
    const { query, venue, channel, symbol } = parseQuerySubject(subject);
    if (query === "catalog") {
      return announced.get(venue).get(decodeCatalogRequest(payload).afterSymbol);
    }
    if (query !== "snapshot") return encodeQueryReply(new Uint8Array(0));
    return channel === "book" && symbol === "SYM0-USDT" ? book : states.get(channel);
  }

  /** Encodes a list, for when it is announced. */
  function list(venue, { version, count }) {
    lists.set(`${venue} ${version}`, pagesOf(venue, { version, count }));
  }

  const responders = new Map();
  for (const [venue, count] of Object.entries(venues)) {
    list(venue, { version: 1, count });
    const pattern = queryPattern({ venue, publisherId: venue });
    const responder = bus.subscribe(pattern, (message) => message.respond(answer(message)));
    responders.set(venue, responder);
  }
  return {
    list,
    announce(venue, announceIntervalMs = ANNOUNCE_INTERVAL_MS, catalogVersion = 1) {
      announced.set(venue, lists.get(`${venue} ${catalogVersion}`));
      const announcement = { ingestorId: venue, venue, catalogVersion, announceIntervalMs };
      bus.publish(announceSubject(venue), encodeAnnouncement({ ...announcement, epoch: EPOCH }));
    },
    silence: (venue) => responders.get(venue)?.unsubscribe(),
  };
}

async function serveOverNats(options) {
  const clock = new SystemClock();
  let server = await startNats();
  const { url } = server;
  const bus = await connectNatsBus({ servers: url });
  const venues = serveVenues({ bus, clock }, options);
  const announceAll = () => Object.keys(options.venues).forEach((venue) => venues.announce(venue));
  bus.subscribe(DISCOVER_SUBJECT, announceAll);
  const startAgain = async () => {
    server.stop();
    await server.gone;
    server = await startNats({ port: Number(new URL(url).port) });
  };
  process.on("message", () => void startAgain());
  process.on("disconnect", () => {
    server.stop();
    process.exit();
  });
  process.send({ url });
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  await serveOverNats(JSON.parse(process.argv[2]));
}
