import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { formatDecimal } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import { BookBuilder } from "#core/book-builder.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { capturePath } from "#test/support/captures.ts";
import type { FeedAdapter, FeedEvent } from "../../feed/feed-adapter.ts";
import { decodeRecorded } from "#test/support/recorded-answer.ts";
import { binanceUsdm } from "./usdm/adapter.ts";
import { binance } from "./adapter.ts";

type CaptureLine = {
  readonly at: number;
  readonly kind?: string;
  readonly text?: string;
  readonly url?: string;
  readonly body?: string;
};

type Outcome = {
  readonly builders: ReadonlyMap<Instrument, BookBuilder>;
  readonly counts: Readonly<Record<string, number>>;
  readonly deltas: ReadonlyMap<string, number>;
  readonly oracle: { readonly agreed: number; readonly compared: number };
};

/** The best prices of every bookTicker by symbol and update id, read from the raw frames. */
function bestPrices(lines: readonly CaptureLine[]): Map<string, readonly string[]> {
  const best = new Map<string, readonly string[]>();
  for (const line of lines) {
    if (line.kind !== "received" || line.text?.includes("bookTicker") !== true) continue;
    const data = JSON.parse(line.text).data as Record<string, string>;
    const texts = [data["b"], data["B"], data["a"], data["A"]].map((text) => plain(text ?? ""));
    best.set(`${data["s"]} ${data["u"]}`, texts);
  }
  return best;
}

/** Without the zeros that the venue pads with. */
function plain(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function readCapture(path: string): CaptureLine[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as CaptureLine);
}

function replay(adapter: FeedAdapter, path: string): Outcome {
  const lines = readCapture(path);
  const best = bestPrices(lines);
  const catalog = new InstrumentCatalog({
    venue: adapter.venue,
    instrumentsMax: 10_000,
    derive: (venueSymbol) => adapter.deriveInstrument(venueSymbol),
  });
  const decoder = adapter.createDecoder({ catalog, bookDepth: 1000 });
  const builders = new Map<Instrument, BookBuilder>();
  const counts: Record<string, number> = {};
  const deltas = new Map<string, number>();
  const oracle = { agreed: 0, compared: 0 };
  const count = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const onBook = (event: Extract<FeedEvent, { kind: "raw-book" }>): void => {
    const { instrument } = event;
    let builder = builders.get(instrument);
    if (builder === undefined) {
      const sync = adapter.bookSync;
      builder = new BookBuilder({ sync, instrument, bufferedDeltasMax: 1000 });
      builders.set(instrument, builder);
    }
    const book = builder.book;
    let applied = false;
    builder.handle(event, (out) => {
      count(`book ${out.kind}`);
      if (out.kind !== "event" || out.event.snapshot) return;
      applied = true;
      deltas.set(instrument.venueSymbol, (deltas.get(instrument.venueSymbol) ?? 0) + 1);
    });
    const expected = best.get(`${instrument.venueSymbol} ${event.lastUpdateId}`);
    if (!applied || event.snapshot || expected === undefined) return;
    const bid = book.bestBid();
    const ask = book.bestAsk();
    const actual = [
      formatDecimal(bid?.price ?? 0, book.priceScale),
      formatDecimal(bid?.size ?? 0, book.sizeScale),
      formatDecimal(ask?.price ?? 0, book.priceScale),
      formatDecimal(ask?.size ?? 0, book.sizeScale),
    ];
    oracle.compared += 1;
    if (actual.join() === expected.join()) oracle.agreed += 1;
  };
  const emit = (event: FeedEvent): void => {
    count(event.kind);
    if (event.kind === "raw-book") onBook(event);
  };
  for (const line of lines) {
    if (line.kind === "received") decoder.decode(line.text ?? "", line.at, emit);
    if (line.kind !== "http") continue;
    const response = { url: line.url ?? "", body: line.body ?? "" };
    if (adapter.recordedRequest(response.url)?.kind === "instruments") {
      catalog.add(adapter.parseInstruments(response.body, response.url)?.instruments ?? []);
    } else decodeRecorded({ adapter, catalog, decoder }, response, line.at, emit);
  }
  counts["instruments refused"] = catalog.rejectedTotal;
  return { builders, counts, deltas, oracle };
}

function bookHash(builder: BookBuilder): string {
  const { book } = builder;
  const side = (levels: ReturnType<typeof book.bids>): string =>
    levels.prices
      .map((price, index) => {
        const size = formatDecimal(levels.sizes[index] ?? 0, book.sizeScale);
        return `${formatDecimal(price, book.priceScale)},${size}`;
      })
      .join("|");
  const text = `${side(book.bids())}#${side(book.asks())}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

describe.each([
  { adapter: binance, name: "binance-btcusdt-345s", trades: 9757, quotes: 28_040, compared: 564 },
  {
    adapter: binanceUsdm,
    name: "binance-usdm-btcusdt-345s",
    trades: 21_313,
    quotes: 66_089,
    compared: 629,
  },
])("$name", ({ adapter, name, trades, quotes, compared }) => {
  const path = capturePath(name);
  test.skipIf(path === undefined)("best prices equal bookTicker's at every shared update", () => {
    const outcome = replay(adapter, path ?? "");
    expect(outcome.oracle).toEqual({ agreed: compared, compared });
    expect(outcome.counts["trade"]).toBe(trades);
    expect(outcome.counts["quote"]).toBe(quotes);
    expect(outcome.counts["book gap"]).toBeUndefined();
    expect(outcome.counts["rejected"]).toBeUndefined();
  });
});

describe.each([
  { adapter: binance, name: "binance-4-small-pairs", links: 173, frames: 177 },
  { adapter: binanceUsdm, name: "binance-usdm-4-pairs", links: 760, frames: 764 },
])("$name", ({ adapter, name, links, frames }) => {
  const path = capturePath(name);

  test.skipIf(path === undefined)("no update is missing and nothing is rejected", () => {
    const outcome = replay(adapter, path ?? "");
    expect(outcome.counts["raw-book"]).toBe(frames + 4);
    expect(outcome.counts["book gap"]).toBeUndefined();
    expect(outcome.counts["rejected"]).toBeUndefined();
    expect(outcome.counts["instruments refused"]).toBe(0);
    expect(outcome.oracle.agreed).toBe(outcome.oracle.compared);
  });

  test.skipIf(path === undefined)("every update directly continues the one before", () => {
    const last = new Map<string, number>();
    const decoder = adapter.createDecoder({
      catalog: new InstrumentCatalog({
        venue: adapter.venue,
        instrumentsMax: 10,
        derive: (venueSymbol) => adapter.deriveInstrument(venueSymbol),
      }),
      bookDepth: 1000,
    });
    const found = { following: 0, broken: 0 };
    for (const line of readCapture(path ?? "")) {
      if (line.kind !== "received") continue;
      decoder.decode(line.text ?? "", line.at, (event) => {
        if (event.kind !== "raw-book") return;
        const previous = last.get(event.instrument.symbol);
        last.set(event.instrument.symbol, event.lastUpdateId ?? 0);
        if (previous === undefined) return;
        const follows = adapter.bookSync.sequencing?.follows(event, previous) ?? false;
        found[follows ? "following" : "broken"] += 1;
      });
    }
    expect(found).toEqual({ following: links, broken: 0 });
  });

  test.skipIf(path === undefined)("instruments derived from symbols equal the listed ones", () => {
    const list = readCapture(path ?? "").find(
      (line) => adapter.recordedRequest(line.url ?? "")?.kind === "instruments",
    );
    const body = list?.body ?? "";
    const parsed = adapter.parseInstruments(body, "");
    const total = (JSON.parse(body) as { symbols: unknown[] }).symbols.length;
    expect((parsed?.instruments.length ?? 0) + (parsed?.skipped ?? 0)).toBe(total);
    expect(parsed?.instruments.length).toBeGreaterThan(100);
    expect(new Set(parsed?.instruments.map((each) => each.symbol)).size).toBe(
      parsed?.instruments.length,
    );
    const different = (parsed?.instruments ?? [])
      .map((listed) => ({ listed, derived: adapter.deriveInstrument(listed.venueSymbol) }))
      .filter(({ listed, derived }) => {
        const { priceIncrement: _price, sizeIncrement: _size, ...rest } = listed;
        const { state: _state, stateWord: _word, ...identity } = rest;
        return JSON.stringify(sorted(identity)) !== JSON.stringify(sorted(derived ?? {}));
      });
    expect(different).toEqual([]);
  });
});

test.skipIf(capturePath("binance-4-small-pairs") === undefined)(
  "the book of NKNUSDT ends as in the worked example",
  () => {
    const outcome = replay(binance, capturePath("binance-4-small-pairs") ?? "");
    const [, builder] =
      [...outcome.builders].find(([instrument]) => instrument.venueSymbol === "NKNUSDT") ?? [];
    if (builder === undefined) throw new Error("the capture has no NKNUSDT");
    expect(outcome.deltas.get("NKNUSDT")).toBe(149);
    expect([builder.book.bidCount, builder.book.askCount]).toEqual([614, 994]);
    expect(bookHash(builder)).toBe("a369064603bcd835");
  },
);

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
