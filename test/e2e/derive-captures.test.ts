// What is derived, on real traffic: consolidated quotes against a computation written here, and
// candles against those that the venue sends in the same capture.
import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BookRow } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { eventPattern, parseEventSubject } from "#bus/subject.ts";
import { openCapture, scanCapture } from "#cli/process/capture-input.ts";
import type { Candle, Trade } from "#core/market-event.ts";
import { deriveConfig } from "#derive/config.ts";
import { startDerive } from "#derive/main.ts";
import type { RunningDerive } from "#derive/main.ts";
import { CandleBuilder, createBuilderCounters } from "#derive/candles/candle-builder.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import { replayCapture, startReplay } from "#ingest/capture/replay.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { capturePath } from "#test/support/captures.ts";
import { writeMovedCapture } from "#test/support/moved-capture.ts";

/** The test itself must not be a slow reader: what it lost would not be missing from the answer. */
const ALL = { pendingMessagesMax: 1_000_000 };
const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };
type QuoteTexts = readonly [bid: string, bidSize: string, ask: string, askSize: string];

/** One source as the test sees it on the bus. */
type Seen = { texts: QuoteTexts | undefined; isLive: boolean; readonly book: PlainLevels };

/** A book kept in the plainest way, for sources that have no quotes. */
type PlainLevels = { readonly bids: Map<string, string>; readonly asks: Map<string, string> };

/** The best of a book, by looking at every level. */
function topOf({ bids, asks }: PlainLevels): QuoteTexts {
  const best = (levels: Map<string, string>, sign: 1 | -1): readonly [string, string] => {
    const [first] = [...levels].toSorted(([a], [b]) => sign * (Number(a) - Number(b)));
    return first ?? ["0", "0"];
  };
  return [...best(bids, -1), ...best(asks, 1)];
}

function applyRow(book: PlainLevels, row: BookRow): void {
  for (const side of ["bids", "asks"] as const) {
    if (row.snapshot) book[side].clear();
    for (const [index, price] of row[side].prices.entries()) {
      const text = formatDecimal(price, row.priceScale);
      const size = formatDecimal(row[side].sizes[index] ?? 0, row.sizeScale);
      if (size === "0") book[side].delete(text);
      else book[side].set(text, size);
    }
  }
}

const NOBODY: QuoteTexts = ["0", "0", "0", "0"];

/** The best over all that are live and do not contradict themselves, in floating numbers alone. */
function bestOf(sources: readonly Seen[]): string {
  const used = sources.flatMap(({ texts, isLive }) => (isLive && texts ? [texts] : []));
  const counted = used.filter(([bid, bidSize, ask, askSize]) => {
    return bidSize === "0" || askSize === "0" || Number(bid) < Number(ask);
  });
  const side = (price: 0 | 2, size: 1 | 3, best: (...values: number[]) => number): string => {
    const having = counted.filter((texts) => texts[size] !== "0");
    if (having.length === 0) return "0 x 0";
    const value = best(...having.map((texts) => Number(texts[price])));
    const sizes = having.filter((texts) => Number(texts[price]) === value);
    // Sizes of up to 12 decimals, summed as whole numbers.
    const whole = sizes.reduce(
      (sum, texts) => sum + BigInt(Math.round(Number(texts[size]) * 1e9)),
      0n,
    );
    return `${value} x ${formatDecimal(Number(whole), 9)}`;
  };
  return `${side(0, 1, Math.max)} | ${side(2, 3, Math.min)}`;
}

/** Adds those whose own price is the best of a side. */
function noteLeaders(seen: ReadonlyMap<string, Seen>, best: string, leaders: Set<string>): void {
  const [bestBid, bestAsk] = best.split(" | ").map((side) => Number(side.split(" ")[0]));
  for (const [name, { texts, isLive }] of seen) {
    if (!isLive || texts === undefined) continue;
    const [bid, bidSize, ask, askSize] = texts;
    const hasBid = bidSize !== "0" && Number(bid) === bestBid;
    if (hasBid || (askSize !== "0" && Number(ask) === bestAsk)) leaders.add(name);
  }
}

const shownOf = ([bid, bidSize, ask, askSize]: QuoteTexts): string =>
  `${Number(bid)} x ${bidSize} | ${Number(ask)} x ${askSize}`;

/** Plays captures side by side, and collects what is consolidated of them and what should be. */
async function consolidate(
  paths: readonly string[],
  symbol: string,
  sources: readonly string[],
): Promise<{
  readonly told: string[];
  readonly expected: string[];
  /** Who had the best price of a side, if only for a moment. */
  readonly leaders: Set<string>;
}> {
  const clock = new SystemClock();
  const bus = new MemoryBus({ clock });
  const told: string[] = [];
  const expected: string[] = [];
  const leaders = new Set<string>();
  const seen = new Map<string, Seen>(
    sources.map((name) => {
      const book = { bids: new Map(), asks: new Map() };
      return [name, { texts: undefined, isLive: true, book }];
    }),
  );
  const text = (mantissa: Mantissa, scale: number): string => formatDecimal(mantissa, scale);
  bus.subscribe(
    eventPattern("consolidated"),
    ({ subject, payload }) => {
      const topic = parseEventSubject(subject);
      if (topic?.symbol !== symbol || topic.channel !== "quotes") return;
      const batch = rowsOf(readBusEvents(readBusBatch(payload)!));
      if (batch.kind !== "quotes") return;
      for (const row of batch.rows) {
        told.push(
          shownOf([
            text(row.bidPriceMantissa, row.priceScale),
            text(row.bidSizeMantissa, row.sizeScale),
            text(row.askPriceMantissa, row.priceScale),
            text(row.askSizeMantissa, row.sizeScale),
          ]),
        );
      }
    },
    ALL,
  );
  const note = (): void => {
    const best = bestOf([...seen.values()]);
    noteLeaders(seen, best, leaders);
    if (best !== (expected.at(-1) ?? shownOf(NOBODY))) expected.push(best);
  };
  const bookOnly = new Set<string>();
  const config = deriveConfig({
    candles: { enabled: false },
    consolidated: [{ symbol, sources: [...sources], channels: ["quotes"] }],
    sharedPairsMax: 0,
  });
  const derive = await startDerive({
    config,
    bus,
    clock,
    logger: LOGGER,
    registry: new Registry(),
  });
  for (const venue of new Set(sources.map((name) => name.slice(0, name.indexOf(":"))))) {
    bus.subscribe(
      eventPattern(venue),
      ({ subject, payload }) => {
        const topic = parseEventSubject(subject);
        const own = topic && seen.get(`${topic.venue}:${topic.symbol}`);
        if (own === undefined) return;
        const batch = rowsOf(readBusEvents(readBusBatch(payload)!));
        if (batch.kind === "statuses") {
          for (const { channel, state } of batch.rows) {
            const isOnly = bookOnly.has(`${topic?.venue}:${topic?.symbol}`);
            if (channel !== (isOnly ? "book" : "quotes")) continue;
            own.isLive = state === "live";
            note();
          }
        }
        if (batch.kind === "books" && bookOnly.has(`${topic?.venue}:${topic?.symbol}`)) {
          for (const row of batch.rows) {
            applyRow(own.book, row);
            own.texts = topOf(own.book);
            note();
          }
        }
        if (batch.kind !== "quotes") return;
        for (const row of batch.rows) {
          own.texts = [
            text(row.bidPriceMantissa, row.priceScale),
            text(row.bidSizeMantissa, row.sizeScale),
            text(row.askPriceMantissa, row.priceScale),
            text(row.askSizeMantissa, row.sizeScale),
          ];
          note();
        }
      },
      ALL,
    );
  }
  let begin = (): void => {};
  const startAfter = new Promise<void>((resolve) => (begin = resolve));
  const replays = await Promise.all(
    paths.map(async (path, index) => {
      const contents = await scanCapture(path, { clock });
      for (const { instrument, channels } of contents.streams) {
        const { venue, symbol: own } = instrument;
        if (!channels.includes("quotes")) bookOnly.add(`${venue}:${own}`);
      }
      const identity = { publisherId: `replay-${index}`, epoch: index + 1 };
      const common = { clock, bus, identity, startAfter, logger: LOGGER };
      return startReplay({ ...common, source: openCapture(path), contents, speed: "max" });
    }),
  );
  // The deriver follows everything before anything is published.
  await expect.poll(() => isReading(derive, sources.length), POLL).toBe(true);
  begin();
  await Promise.all(replays.map(({ finished }) => finished));
  for (let turn = 0; turn < 20; turn += 1) {
    await bus.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await derive.close();
  for (const replay of replays) replay.close();
  await bus.close();
  return { told, expected, leaders };
}

const POLL = { timeout: 30_000, interval: 5 };

/** Whether every topic of so many sources is read, with nothing passing unread. */
async function isReading({ state }: RunningDerive, sources: number): Promise<boolean> {
  const summary = await state.summary();
  const { topicsRead, topicsLive } = summary as Record<"topicsRead" | "topicsLive", number>;
  const { followed } = (summary as { sources: { followed: number } }).sources;
  return followed === sources && topicsLive === topicsRead;
}

const CAPTURES = [
  {
    what: "Bitcoin at Binance and Kraken, in what each has it priced in",
    captures: ["binance-btcusdt-345s", "kraken-v1-10-pairs"],
    symbol: "BTC-USD",
    sources: ["binance:BTC-USDT", "kraken-v1:BTC-CHF"],
    quotesMin: 10_000,
  },
  {
    what: "Dash at Coinbase, which has no quotes but books, and at Bitget",
    captures: ["coinbase-10-pairs", "bitget-v1-10-pairs"],
    symbol: "DASH-USD",
    sources: ["coinbase:DASH-BTC", "bitget-v1:DASH-USDT-PERP"],
    quotesMin: 20,
  },
];

describe("consolidated quotes equal an independent computation", () => {
  for (const { what, captures, symbol, sources, quotesMin } of CAPTURES) {
    const isThere = captures.every((name) => capturePath(name) !== undefined);
    test.skipIf(!isThere)(`of ${what}`, async () => {
      const paths = captures.map((name) => capturePath(name)!);
      const { told, expected } = await consolidate(paths, symbol, sources);
      expect(told.length).toBeGreaterThan(quotesMin);
      expect(told).toEqual(expected);
    });
  }

  // No asset is in the captures of all three. Binance and Kraken have Bitcoin as it was; what
  // Coinbase sent of another asset is told as Bitcoin, each price and size times the same number,
  // so that its prices cross those of Kraken again and again.
  const [binance, kraken, coinbase] = [
    "binance-btcusdt-345s",
    "kraken-v2-btcusd-depth10-resubscribes",
    "coinbase-10-pairs",
  ].map(capturePath);
  const isThere = binance !== undefined && kraken !== undefined && coinbase !== undefined;
  test.skipIf(!isThere)("of Binance, Kraken and Coinbase together", async () => {
    const move = { from: "SKL-USD", to: "BTC-USD", priceFactor: 79_700n, sizeShift: 4 };
    const moved = writeMovedCapture({ path: coinbase!, ...move });
    const sources = ["binance:BTC-USDT", "kraken:BTC-USD", "coinbase:BTC-USD"];
    const answer = await consolidate([binance!, kraken!, moved], "BTC-USD", sources);
    expect(answer.told.length).toBeGreaterThan(10_000);
    expect(answer.told).toEqual(answer.expected);
    expect([...answer.leaders].toSorted()).toEqual(sources.toSorted());
  });
});

type Candled = { readonly trades: Trade[]; readonly candles: Candle[]; readonly fromUs: number };

/** What a capture has of each instrument, and since when. */
async function eventsOf(name: string): Promise<readonly Candled[]> {
  const byInstrument = new Map<object, Candled>();
  let fromUs: number | undefined;
  await replayCapture({
    source: readCapture(capturePath(name)!),
    clock: new SystemClock(),
    speed: "max",
    onEvent: ({ event }) => {
      fromUs ??= event.receivedTimeUs;
      if (event.kind !== "trade" && event.kind !== "candle") return;
      const known = byInstrument.get(event.instrument) ?? { trades: [], candles: [], fromUs };
      byInstrument.set(event.instrument, known);
      if (event.kind === "candle") known.candles.push(event);
      else if (!event.historical) known.trades.push(event);
    },
  });
  return [...byInstrument.values()];
}

/** The candles that are built of more and more of the trades, in their order. */
function builtOf(trades: readonly Trade[]): Candle[] {
  const built: Candle[] = [];
  const emit = (candle: Candle): void => void built.push(candle);
  const [first] = trades;
  if (first === undefined) return built;
  const parts = { instrument: first.instrument, intervalsMs: [60_000], graceMs: 1_000, emit };
  const builder = new CandleBuilder(parts, createBuilderCounters());
  for (const trade of trades) {
    builder.take(trade);
    builder.tell(trade.receivedTimeUs);
  }
  return built;
}

const valuesOf = ({ openTimeUs, open, high, low, close, volume }: Candle): string =>
  [openTimeUs, open, high, low, close, volume].join(" ");

describe("candles equal those that the venue sends in the same capture", () => {
  for (const [name, candlesMin] of [
    ["binance-usdm-4-pairs", 5],
    ["kucoin-10-pairs", 1],
  ] as const) {
    test.skipIf(capturePath(name) === undefined)(`of ${name}`, async () => {
      let compared = 0;
      for (const { trades, candles, fromUs } of await eventsOf(name)) {
        const built = new Set(builtOf(trades).map(valuesOf));
        // Of a minute that had begun before, the capture has a part of the trades.
        const whole = candles.filter(({ openTimeUs }) => openTimeUs > fromUs);
        for (const candle of whole) {
          if (candle.tradeCount === 0 || candle.volume === "0") continue;
          // Of several fills of one order the venue counts each, and tells them as one trade.
          const isBetween = ![...built].some((values) => values.endsWith(` ${candle.volume}`));
          if (isBetween) continue;
          expect(built).toContain(valuesOf(candle));
          compared += 1;
        }
      }
      expect(compared).toBeGreaterThanOrEqual(candlesMin);
    });
  }
});
