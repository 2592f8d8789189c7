import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { formatDecimal, OrderBook } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { BookEvent, LevelColumns } from "#core/market-event.ts";
import type { CaptureLine } from "#ingest/capture/capture-format.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import type { ReplayedEvent, ReplaySummary } from "#ingest/capture/replay-options.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { capturePath } from "#test/support/captures.ts";

/** A book kept in the plainest way there is, from what is published: the oracle of the ladders. */
class PlainBook {
  readonly bids = new Map<string, string>();
  readonly asks = new Map<string, string>();
  deltas = 0;

  apply(event: BookEvent): void {
    if (event.snapshot) {
      this.bids.clear();
      this.asks.clear();
    } else {
      this.deltas += 1;
    }
    this.#set(this.bids, event.bids, event);
    this.#set(this.asks, event.asks, event);
  }

  best(side: "bids" | "asks"): { price: number; size: number } {
    let price = side === "bids" ? -Infinity : Infinity;
    let size = 0;
    for (const [priceText, sizeText] of this[side]) {
      const candidate = Number(priceText);
      if (side === "bids" ? candidate <= price : candidate >= price) continue;
      price = candidate;
      size = Number(sizeText);
    }
    return { price, size };
  }

  hash(): string {
    const text = (["bids", "asks"] as const)
      .map((side) => {
        const levels = [...this[side]];
        levels.sort(([a], [b]) =>
          side === "bids" ? Number(b) - Number(a) : Number(a) - Number(b),
        );
        return levels.map(([price, size]) => `${price},${size}`).join("|");
      })
      .join("#");
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
  }

  #set(side: Map<string, string>, { prices, sizes }: LevelColumns, event: BookEvent): void {
    for (const [index, price] of prices.entries()) {
      const size = formatDecimal(sizes[index] ?? 0, event.sizeScale);
      const priceText = formatDecimal(price, event.priceScale);
      if (size === "0") side.delete(priceText);
      else side.set(priceText, size);
    }
  }
}

type Replayed = {
  readonly summary: ReplaySummary;
  readonly events: readonly ReplayedEvent[];
  readonly books: ReadonlyMap<string, PlainBook>;
};

/** `afterLine` is called when everything that follows from the line has been published. */
async function replay(
  path: string,
  afterLine?: (line: CaptureLine, books: ReadonlyMap<string, PlainBook>) => void,
): Promise<Replayed> {
  const events: ReplayedEvent[] = [];
  const books = new Map<string, PlainBook>();
  async function* source(): AsyncGenerator<CaptureLine> {
    for await (const line of readCapture(path)) {
      yield line;
      afterLine?.(line, books);
    }
  }
  const summary = await replayCapture({
    source: source(),
    speed: "max",
    clock: new SystemClock(),
    onEvent: (replayed) => {
      events.push(replayed);
      const { event } = replayed;
      if (event.kind !== "book") return;
      const book = books.get(event.instrument.venueSymbol) ?? new PlainBook();
      books.set(event.instrument.venueSymbol, book);
      book.apply(event);
    },
  });
  return { summary, events, books };
}

/**
 * Holds of every capture: nothing lost, nothing damaged, every topic numbered 1, 2, 3 and so on.
 */
function expectClean({ summary, events }: Replayed): void {
  expect(summary).toMatchObject({ gaps: 0, resyncs: 0, checksumsFailed: 0, damagedLines: 0 });
  const positions = new Map<string, number>();
  for (const { event, sequence } of events) {
    const topic = `${event.instrument.symbol}/${event.kind}`;
    expect(sequence).toBe((positions.get(topic) ?? 0) + 1);
    positions.set(topic, sequence);
  }
  const counted: Record<string, number> = {};
  for (const { event } of events) counted[event.kind] = (counted[event.kind] ?? 0) + 1;
  expect(summary.events).toEqual(counted);
}

type RawFrame = { readonly data?: Readonly<Record<string, unknown>> };

/** Counts what a Binance capture holds, from its text alone. */
function countRaw(line: CaptureLine, counts: Map<string, number>): void {
  if (line.kind !== "received" || typeof line.frame !== "string") return;
  const { data } = JSON.parse(line.frame) as RawFrame;
  const name = (data?.["e"] as string | undefined) ?? "bookTicker";
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** How often a depth event and a bookTicker of the capture end at the same update. */
const BOOK_TICKER_MATCHES = {
  "binance-btcusdt-345s": 564,
  "binance-usdm-btcusdt-345s": 629,
} as const;

for (const [name, matches] of Object.entries(BOOK_TICKER_MATCHES)) {
  const path = capturePath(name);
  describe.skipIf(path === undefined)(`${name}`, () => {
    test("the book equals bookTicker wherever both end at the same update", async () => {
      const raw = new Map<string, number>();
      const bookEnds = new Map<number, string>();
      const quoteEnds = new Map<number, string>();
      let compared = 0;
      let different = 0;
      const compare = (updateId: number): void => {
        const fromBook = bookEnds.get(updateId);
        const fromQuote = quoteEnds.get(updateId);
        if (fromBook === undefined || fromQuote === undefined) return;
        compared += 1;
        if (fromBook !== fromQuote) different += 1;
      };
      const replayed = await replay(path ?? "", (line, books) => {
        countRaw(line, raw);
        if (line.kind !== "received" || typeof line.frame !== "string") return;
        const { data = {} } = JSON.parse(line.frame) as RawFrame;
        const updateId = Number(data["u"]);
        const book = books.get("BTCUSDT");
        if (data["e"] === "depthUpdate") {
          if (book === undefined) return;
          const bid = book.best("bids");
          const ask = book.best("asks");
          bookEnds.set(updateId, `${bid.price} ${bid.size} ${ask.price} ${ask.size}`);
        } else if (data["B"] !== undefined && data["A"] !== undefined) {
          const best = [data["b"], data["B"], data["a"], data["A"]].map(Number);
          quoteEnds.set(updateId, best.join(" "));
        } else {
          return;
        }
        compare(updateId);
      });
      expectClean(replayed);
      expect(different).toBe(0);
      expect(compared).toBe(matches);
      const { summary } = replayed;
      expect(summary.frames).toBe(framesIn(path ?? ""));
      expect(crossings(replayed.events)).toEqual([]);
      expect(summary.events["quote"]).toBe(raw.get("bookTicker"));
      expect(summary.rejected).toEqual({});
      expect(summary.events["trade"]).toBe(raw.get("trade"));
    });
  });
}

/** Checksums, of which none fails, and what was rejected. */
const CLEAN_CAPTURES = {
  "binance-4-small-pairs": { checksums: 0, rejected: {} },
  "binance-usdm-4-pairs": { checksums: 0, rejected: {} },
  "bitfinex-7-pairs": { checksums: 0, rejected: {} },
  "bitget-v1-10-pairs": { checksums: 637, rejected: {} },
  "bitstamp-10-pairs": { checksums: 0, rejected: {} },
  "coinbase-10-pairs": { checksums: 0, rejected: {} },
  "deribit-10-options": { checksums: 0, rejected: {} },
  "gateio-10-pairs": { checksums: 0, rejected: {} },
  "htx-10-pairs": { checksums: 0, rejected: {} },
  "kraken-v1-10-pairs": { checksums: 4_269, rejected: {} },
  "kraken-v2-btcusd-depth10-resubscribes": { checksums: 301, rejected: {} },
  "kraken-v2-ethusd": { checksums: 1_129, rejected: {} },
  "kucoin-10-pairs": { checksums: 0, rejected: {} },
  "okx-3-instruments": { checksums: 290, rejected: {} },
} as const;

for (const [name, { checksums, rejected }] of Object.entries(CLEAN_CAPTURES)) {
  const path = capturePath(name);
  test.skipIf(path === undefined)(`${name} replays without a gap`, async () => {
    const replayed = await replay(path ?? "");
    expectClean(replayed);
    expect(replayed.summary.frames).toBe(framesIn(path ?? ""));
    expect(replayed.summary.checksumsPassed).toBe(checksums);
    expect(replayed.books.size).toBeGreaterThan(0);
    expect(replayed.summary.rejected).toEqual(rejected);
    expect(crossings(replayed.events)).toEqual([]);
    for (const [venueSymbol, book] of replayed.books) {
      const isCrossed = book.best("bids").price >= book.best("asks").price;
      expect(`${venueSymbol} crossed: ${isCrossed}`).toBe(`${venueSymbol} crossed: false`);
    }
  });
}

/** Books whose best bid is not below their best ask after some message, each once. */
function crossings(events: readonly ReplayedEvent[]): string[] {
  const books = new Map<string, OrderBook>();
  const crossed = new Set<string>();
  for (const { event } of events) {
    if (event.kind !== "book") continue;
    const { symbol } = event.instrument;
    const book = books.get(symbol) ?? new OrderBook();
    books.set(symbol, book);
    if (event.snapshot) book.applySnapshot(event);
    else book.applyDelta(event);
    if (book.isCrossed()) crossed.add(symbol);
  }
  return [...crossed];
}

/** Received frames, by the text of the file alone. */
function framesIn(path: string): number {
  const text = gunzipSync(readFileSync(path)).toString("utf8");
  return text.split('"kind":"received"').length - 1;
}

const WORKED_HASHES = [
  ["binance-4-small-pairs", "NKNUSDT", "a369064603bcd835", 149, 614, 994],
  ["coinbase-10-pairs", "SKL-USD", "90aa1e5266dff4b2", 2592, 816, 1341],
  ["kraken-v1-10-pairs", "XMR/USD", "129251888e7578df", 846, 657, 426],
  ["okx-3-instruments", "BTC-USD-220527", "4314d736ef4ba109", 98, 74, 62],
] as const;

for (const [name, venueSymbol, hash, deltas, bidCount, askCount] of WORKED_HASHES) {
  const path = capturePath(name);
  test.skipIf(path === undefined)(
    `${name} ends with the known book of ${venueSymbol}`,
    async () => {
      const { books } = await replay(path ?? "");
      const book = books.get(venueSymbol);
      expect(book?.hash()).toBe(hash);
      expect(book?.bids.size).toBe(bidCount);
      expect(book?.asks.size).toBe(askCount);
      // Deltas that were buffered before a REST snapshot came are part of the first published book.
      expect(book?.deltas).toBeLessThanOrEqual(deltas);
      expect(book?.deltas).toBeGreaterThan(deltas - 10);
    },
  );
}

const coinbase = capturePath("coinbase-10-pairs");
test.skipIf(coinbase === undefined)("Coinbase sends 97 trades and 10 old ones", async () => {
  const { events, summary } = await replay(coinbase ?? "");
  const trades = events.flatMap(({ event }) => (event.kind === "trade" ? [event] : []));
  expect(summary.historicalTrades).toBe(10);
  expect(trades.filter(({ historical }) => historical)).toHaveLength(10);
  expect(trades.filter(({ historical }) => !historical)).toHaveLength(97);
});
