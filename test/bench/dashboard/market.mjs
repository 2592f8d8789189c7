// A gateway with the dashboard and a made-up market behind it, for test/bench/dashboard.bench.mjs:
// 10,000 instruments in the list, tickers of the first 1,000 of them twice a second, and one
// instrument that is busy: 8,500 trades and 500 book changes a second, a candle, and a past of
// candles. Publishing costs little, so that what is measured is the page. Says its port over IPC.
// `node market.mjs '{"instruments":10000,"tickers":1000,"tradesPerSecond":8500}'`
import { Registry } from "prom-client";
import { MemoryBus } from "#bus/memory-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import { Announcements } from "#publish/announcements.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { QueryResponder } from "#publish/query-responder.ts";
import { StreamedInstruments } from "#publish/streamed-instruments.ts";
import { VenueListings } from "#publish/venue-listings.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { createRandom } from "../load/random.mjs";

const options = {
  instruments: 10_000,
  tickers: 1_000,
  tradesPerSecond: 8_500,
  candles: 5_000,
  /** Digits of a price after its point: the busy one's is 9,500,000 in the last of them. */
  priceScale: 2,
  /** The list says the steps of prices and sizes. */
  hasIncrements: true,
};
Object.assign(options, JSON.parse(process.argv[2] ?? "{}"));
const VENUE = "bench";
const EPOCH = 4_711;
const TICK_MS = 20;
const TICKER_MS = 500;
const BOOK_EVENTS_PER_SECOND = 50;
const BOOK_CHANGES_PER_EVENT = 10;
const LEVELS = 400;
const MINUTE_MS = 60_000;
const CHANNELS = ["trades", "quotes", "book", "candles", "ticker"];

const clock = new SystemClock();
const silent = () => undefined;
let isListed = silent;
const logger = {
  debug: silent,
  info: (_, text) => text === "the catalog of a venue changed" && isListed(),
  warn: silent,
  error: (_, text) =>
    process.stderr.write(`${text}
`),
};
const bus = new MemoryBus({ clock, payloadBytesMax: 16 * 1024 * 1024 });

const text = (ticks) => (ticks / 10 ** options.priceScale).toFixed(options.priceScale);
const instruments = Array.from({ length: options.instruments }, (_, index) => {
  const base = index === 0 ? "BTC" : `SYM${index}`;
  return {
    venue: VENUE,
    symbol: `${base}-USDT`,
    venueSymbol: `${base}USDT`,
    kind: "spot",
    base,
    quote: "USDT",
    settle: "USDT",
    inverse: false,
    ...(options.hasIncrements ? { priceIncrement: text(1), sizeIncrement: "0.0001" } : {}),
  };
});
const [busy] = instruments;

const publisher = new Publisher({
  bus,
  clock,
  epoch: EPOCH,
  limits: { ...PUBLISH_LIMITS_DEFAULTS, recentCandlesMax: options.candles + 100 },
  schedule: (flush) => void setImmediate(() => flush()),
  counters: createPublisherCounters(),
  logger,
});
const streamed = new StreamedInstruments({});
for (const [index, instrument] of instruments.entries()) {
  const channels = index < options.tickers ? CHANNELS : CHANNELS.filter((one) => one !== "ticker");
  const known = channels.map((channel) => ({ instrument, channel }));
  streamed.add(known, [MINUTE_MS]);
}
const listings = new VenueListings({ venue: VENUE, clock, emit: silent });
const view = { venue: VENUE, streamed, listings, publisher, liveBookOf: () => liveBook() };
const common = { bus, clock, logger, venues: [view], publisherId: "bench-1" };

const random = createRandom();

const times = () => {
  const nowUs = clock.nowUs();
  return { venueTimeUs: nowUs, receivedTimeUs: nowUs };
};

let middle = 9_500_000;
const sides = { bids: new Map(), asks: new Map() };
for (let level = 1; level <= LEVELS; level += 1) {
  sides.bids.set(middle - level * 20, 1_000 + random(90_000));
  sides.asks.set(middle + level * 20, 1_000 + random(90_000));
}
const columns = (levels, sign) => {
  const sorted = [...levels].toSorted((a, b) => sign * (a[0] - b[0]));
  return { prices: sorted.map(([price]) => price), sizes: sorted.map(([, size]) => size) };
};
const { OrderBook } = await import("@tickwire/proto/model");
function liveBook() {
  const book = new OrderBook();
  book.applySnapshot(bookEvent(true, columns(sides.bids, -1), columns(sides.asks, 1)));
  return book;
}
function bookEvent(snapshot, bids, asks) {
  const scales = { priceScale: options.priceScale, sizeScale: 4 };
  return { kind: "book", instrument: busy, ...times(), snapshot, ...scales, bids, asks };
}

function publishTicker(index) {
  const instrument = instruments[index];
  const price = index === 0 ? middle : 5_000 + ((index * 7_919) % 90_000) + random(200);
  publisher.publish({
    kind: "ticker",
    instrument,
    ...times(),
    lastPrice: text(price),
    openPrice: text(price * 0.98 + (index % 50)),
    highPrice: text(price * 1.02),
    lowPrice: text(price * 0.97),
    volume: String(1_000 + index),
    bidPrice: text(price - 1),
    askPrice: text(price + 1),
  });
}

function publishTrade() {
  publisher.publish({
    kind: "trade",
    instrument: busy,
    ...times(),
    priceMantissa: middle + random(60) - 30,
    priceScale: options.priceScale,
    sizeMantissa: 1 + random(30_000),
    sizeScale: 4,
    aggressorSide: random(2) === 0 ? "buyer" : "seller",
    tradeId: "",
    historical: false,
  });
}

/** Sizes change and go; the best levels stay where they are, so that nothing crosses. */
function changeBook() {
  const change = { bids: [], asks: [] };
  for (let index = 0; index < BOOK_CHANGES_PER_EVENT; index += 1) {
    const name = random(2) === 0 ? "bids" : "asks";
    const level = 1 + Math.min(LEVELS - 1, Math.floor((random(1_000) * random(1_000)) / 2_500));
    const price = 9_500_000 + (name === "bids" ? -1 : 1) * level * 20;
    const size = level > 1 && random(5) === 0 ? 0 : 1_000 + random(90_000);
    if (size === 0 && !sides[name].has(price)) continue;
    if (size === 0) sides[name].delete(price);
    else sides[name].set(price, size);
    change[name] = change[name].filter(([known]) => known !== price);
    change[name].push([price, size]);
  }
  const side = (changed) => ({
    prices: changed.map(([price]) => price),
    sizes: changed.map(([, size]) => size),
  });
  publisher.publish(bookEvent(false, side(change.bids), side(change.asks)));
}

let candle;
function publishCandle(openTimeMs, price, closed) {
  if (candle?.openTimeMs !== openTimeMs)
    candle = { openTimeMs, open: price, high: price, low: price, volume: 0 };
  candle.high = Math.max(candle.high, price);
  candle.low = Math.min(candle.low, price);
  candle.volume += 1;
  publisher.publish({
    kind: "candle",
    instrument: busy,
    ...times(),
    intervalMs: MINUTE_MS,
    openTimeUs: openTimeMs * 1_000,
    open: text(candle.open),
    high: text(candle.high),
    low: text(candle.low),
    close: text(price),
    volume: String(candle.volume),
    closed,
  });
}
const minuteOf = (nowMs) => Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
const firstMs = minuteOf(clock.nowUs() / 1_000) - options.candles * MINUTE_MS;
let walk = middle;
for (let index = 0; index < options.candles; index += 1) {
  for (let step = 0; step < 4; step += 1) {
    walk += random(2_001) - 1_000 + Math.sign(middle - walk) * 10;
    publishCandle(firstMs + index * MINUTE_MS, walk, step === 3);
  }
}
publisher.publish(bookEvent(true, columns(sides.bids, -1), columns(sides.asks, 1)));
for (let index = 0; index < options.tickers; index += 1) {
  publishTicker(index);
  publisher.publish({
    kind: "status",
    instrument: instruments[index],
    ...times(),
    channel: "book",
    state: "live",
    reason: "synchronized",
    sinceTimeUs: clock.nowUs(),
  });
}
publisher.flush();

new QueryResponder(common).start();
const gateway = await startGateway({
  config: gatewayConfig({ port: 0 }),
  bus,
  clock,
  logger,
  registry: new Registry(),
  dashboardFolder: new URL("../../../clients/dashboard/dist/", import.meta.url).pathname,
});
const listed = new Promise((resolve) => (isListed = resolve));
new Announcements({ ...common, announceIntervalMs: 2_000 }).start();
await listed;
process.send?.({ port: gateway.port });

let next = 0;
let publishedToMs = performance.now();
const owed = { tickers: 0, trades: 0, changes: 0 };
/** As much as is due by the clock, also where the machine is busy and a tick comes late. */
setInterval(() => {
  const overS = Math.min(1_000, performance.now() - publishedToMs) / 1_000;
  publishedToMs = performance.now();
  owed.tickers += (overS * options.tickers * 1_000) / TICKER_MS;
  for (; owed.tickers >= 1; owed.tickers -= 1) {
    publishTicker(next);
    next = (next + 1) % options.tickers;
  }
  for (owed.trades += overS * options.tradesPerSecond; owed.trades >= 1; owed.trades -= 1)
    publishTrade();
  for (owed.changes += overS * BOOK_EVENTS_PER_SECOND; owed.changes >= 1; owed.changes -= 1)
    changeBook();
  middle = Math.max(9_499_900, Math.min(9_500_100, middle + random(21) - 10));
  publishCandle(minuteOf(clock.nowUs() / 1_000), middle, false);
}, TICK_MS);
process.on("disconnect", () => process.exit());
