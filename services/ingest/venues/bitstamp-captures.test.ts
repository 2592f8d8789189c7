import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { formatDecimal } from "@tickwire/proto/model";
import { BookBuilder } from "#core/book-builder.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import type { FeedEvent } from "../feed/feed-adapter.ts";
import { bitstamp } from "./bitstamp.ts";

const PATH = capturePath("bitstamp-10-pairs");

type Line = {
  readonly at: number;
  readonly kind?: string;
  readonly url?: string;
  readonly body?: string;
  readonly text?: string;
};

function readLines(path: string): Line[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8").trimEnd();
  return text.split("\n").map((line) => JSON.parse(line) as Line);
}

/** Everything of the capture through the adapter, with one book builder a market. */
function replay(lines: readonly Line[]) {
  const catalog = new InstrumentCatalog({ venue: "bitstamp", instrumentsMax: 1000 });
  const decoder = bitstamp.createDecoder({ catalog, bookDepth: 1000 });
  const builders = new Map<string, BookBuilder>();
  const others: FeedEvent[] = [];
  const counts = { snapshots: 0, deltas: 0, gaps: 0 };
  const emit = (event: FeedEvent): void => {
    if (event.kind !== "raw-book") return void others.push(event);
    const { instrument } = event;
    const builder =
      builders.get(instrument.venueSymbol) ??
      new BookBuilder({ sync: bitstamp.bookSync, instrument, bufferedDeltasMax: 1000 });
    builders.set(instrument.venueSymbol, builder);
    builder.handle(event, (out) => {
      if (out.kind === "gap") counts.gaps += 1;
      if (out.kind === "event") counts[out.event.snapshot ? "snapshots" : "deltas"] += 1;
    });
  };
  for (const { at, kind, url = "", body = "", text = "" } of lines) {
    if (kind === "received") decoder.decode(text, at, emit);
    if (kind !== "http") continue;
    if (bitstamp.isInstrumentsUrl(url)) {
      catalog.add(bitstamp.parseInstruments(body, url)?.instruments ?? []);
    } else decoder.decodeRest({ url, status: 200, body }, at, emit);
  }
  return { catalog, builders, others, counts };
}

/** A book made with plain maps and texts, to compare with. */
function plainBooks(lines: readonly Line[]) {
  type Side = Map<string, string>;
  const books = new Map<string, { since: string; bids: Side; asks: Side }>();
  let applied = 0;
  for (const { kind, url = "", body = "", text = "" } of lines) {
    const market = /order_book\/(\w+)$/.exec(url)?.[1];
    if (kind === "http" && market !== undefined) {
      const { microtimestamp: since, bids: bidRows, asks: askRows } = JSON.parse(body);
      books.set(market, { since, bids: new Map(bidRows), asks: new Map(askRows) });
    }
    if (kind !== "received" || !text.includes("diff_order_book") || !text.includes('"bids"'))
      continue;
    const { data, channel } = JSON.parse(text);
    const book = books.get(channel.replace("diff_order_book_", ""));
    if (book === undefined || data.microtimestamp <= book.since) continue;
    applied += 1;
    for (const side of ["bids", "asks"] as const) {
      for (const [price, size] of data[side]) {
        if (/^[0.]+$/.test(size)) book[side].delete(price);
        else book[side].set(price, size);
      }
    }
  }
  return { books, applied };
}

describe.skipIf(PATH === undefined)("ten pairs of Bitstamp", () => {
  const lines = PATH === undefined ? [] : readLines(PATH);
  const { catalog, builders, others, counts } = replay(lines);
  const trades = others.filter((event): event is Trade => event.kind === "trade");

  test("nothing is rejected and every subscription is confirmed", () => {
    const kinds: Record<string, number> = {};
    for (const event of others) kinds[event.kind] = (kinds[event.kind] ?? 0) + 1;
    expect(kinds).toEqual({ subscribed: 20, trade: 10 });
    expect(catalog.size).toBe(140);
  });

  test("what the snapshots cover is dropped, everything after them is applied", () => {
    const { applied } = plainBooks(lines);
    // Of sgbeur there was a snapshot and not one message behind it, so its book never began.
    expect(counts).toEqual({ snapshots: 9, deltas: applied, gaps: 0 });
    expect(applied).toBe(615);
    const frames = lines.filter(
      ({ kind, text }) => kind === "received" && text?.includes('"bids"') === true,
    );
    expect(frames).toHaveLength(717);
  });

  test("every book ends as one made with plain maps, and uncrossed", () => {
    const { books } = plainBooks(lines);
    const live = [...builders].filter(([, builder]) => builder.isLive);
    expect(live).toHaveLength(9);
    for (const [market, { book }] of live) {
      expect(book.isCrossed()).toBe(false);
      for (const side of ["bids", "asks"] as const) {
        const { prices, sizes } = book[side]();
        const built = prices.map((price, index) => [
          Number(formatDecimal(price, book.priceScale)),
          Number(formatDecimal(sizes[index] ?? 0, book.sizeScale)),
        ]);
        const plain = [...(books.get(market)?.[side] ?? [])].map((level) => level.map(Number));
        const order = side === "bids" ? -1 : 1;
        expect(built).toEqual(plain.toSorted(([a = 0], [b = 0]) => (a - b) * order));
      }
    }
  });

  test("the aggressor's order is the newer of the two, in 10 of 10", () => {
    const newer = new Map<string, string>();
    for (const { text = "" } of lines) {
      if (!text.includes('"event":"trade"')) continue;
      const { id, buy_order_id: buy, sell_order_id: sell } = JSON.parse(text).data;
      newer.set(String(id), buy > sell ? "buyer" : "seller");
    }
    expect(trades.map((trade) => trade.aggressorSide)).toEqual([...newer.values()]);
    expect(trades).toHaveLength(10);
  });
});
