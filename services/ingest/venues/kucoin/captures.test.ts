import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { formatDecimal } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture } from "#test/support/decode-capture.ts";
import { levelsOf, plainLevelsOf } from "#test/support/plain-books.ts";
import { kucoin } from "./adapter.ts";

const PATH = capturePath("kucoin-10-pairs");

type Line = {
  readonly kind?: string;
  readonly url?: string;
  readonly body?: string;
  readonly text?: string;
};

type Row = readonly [price: string, size: string, sequence: string];

type Update = {
  readonly symbol: string;
  readonly sequenceStart: number;
  readonly sequenceEnd: number;
  readonly changes: { readonly asks: readonly Row[]; readonly bids: readonly Row[] };
};

function readLines(path: string): Line[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8").trimEnd();
  return text.split("\n").map((line) => JSON.parse(line) as Line);
}

/** The data of the raw frames of one subject. */
function dataOf(lines: readonly Line[], subject: string): unknown[] {
  return lines
    .filter(({ kind, text }) => kind === "received" && text?.includes(`"${subject}`) === true)
    .map(({ text }) => (JSON.parse(text ?? "") as { data: unknown }).data);
}

/** Books made with plain maps, row by row, without the rows that the snapshot holds already. */
function plainBooks(lines: readonly Line[]) {
  const updates = dataOf(lines, "trade.l2update") as Update[];
  const books = new Map<string, { bids: Map<string, string>; asks: Map<string, string> }>();
  let [bridged, chained] = [0, 0];
  for (const { kind, url = "", body = "" } of lines) {
    const pair = /level2\?symbol=([\w-]+)/.exec(url)?.[1];
    if (kind !== "http" || pair === undefined) continue;
    const { sequence, bids, asks } = (JSON.parse(body) as { data: never }).data as {
      sequence: string;
      bids: [string, string][];
      asks: [string, string][];
    };
    const book = { bids: new Map(bids), asks: new Map(asks) };
    let last = Number(sequence);
    for (const update of updates.filter(({ symbol }) => symbol === pair)) {
      if (update.sequenceEnd <= Number(sequence)) continue;
      if (last === Number(sequence)) bridged += Number(update.sequenceStart <= last + 1);
      else chained += Number(update.sequenceStart === last + 1);
      last = update.sequenceEnd;
      for (const side of ["bids", "asks"] as const) {
        for (const [price, size, row] of update.changes[side]) {
          if (price === "0" || Number(row) <= Number(sequence)) continue;
          if (Number(size) === 0) book[side].delete(price);
          else book[side].set(price, size);
        }
      }
    }
    books.set(pair, book);
  }
  return { books, bridged, chained };
}

describe.skipIf(PATH === undefined)("ten pairs of KuCoin", async () => {
  const lines = PATH === undefined ? [] : readLines(PATH);
  const capture = PATH === undefined ? undefined : await decodeCapture(kucoin, PATH);
  const events = capture?.events ?? [];

  test("nothing is rejected and every subscription is confirmed", () => {
    const kinds: Record<string, number> = {};
    for (const event of events) kinds[event.kind] = (kinds[event.kind] ?? 0) + 1;
    expect(kinds).toEqual({
      ready: 1,
      subscribed: 40,
      trade: dataOf(lines, "trade.l3match").length,
      quote: dataOf(lines, "trade.ticker").length,
      // One of them is told again, as closed, when the next begins.
      candle: dataOf(lines, "trade.candles").length + 1,
    });
    expect([kinds["trade"], kinds["quote"], kinds["candle"]]).toEqual([18, 830, 7]);
  });

  test("every change continues the one before, and every book bridges its snapshot", () => {
    const { bridged, chained } = plainBooks(lines);
    const deltas = [...(capture?.deltas.values() ?? [])].reduce((sum, count) => sum + count, 0);
    expect([capture?.gaps, capture?.snapshots, bridged]).toEqual([0, 9, 9]);
    expect(deltas).toBe(bridged + chained);
    // Of all frames, those that the snapshots hold already included, of one pair each.
    const links = new Map<string, number>();
    let inOrder = 0;
    for (const update of dataOf(lines, "trade.l2update") as Update[]) {
      inOrder += Number(links.get(update.symbol) === update.sequenceStart - 1);
      links.set(update.symbol, update.sequenceEnd);
    }
    expect([inOrder, links.size]).toEqual([3844, 9]);
  });

  test("every book ends as one made with plain maps, and uncrossed", () => {
    const { books } = plainBooks(lines);
    expect(capture?.builders.size).toBe(9);
    for (const [pair, { book }] of capture?.builders ?? []) {
      expect(book.isCrossed()).toBe(false);
      for (const side of ["bids", "asks"] as const) {
        expect(levelsOf(book, side)).toEqual(plainLevelsOf(books.get(pair)?.[side], side));
      }
    }
  });

  test("trades are those of the raw frames, field by field", () => {
    const raw = (dataOf(lines, "trade.l3match") as Record<string, string>[]).map((trade) => [
      trade["symbol"],
      trade["tradeId"],
      trade["side"] === "buy" ? "buyer" : "seller",
      Number(trade["price"]),
      Number(trade["size"]),
      Number(BigInt(trade["time"] ?? 0) / 1000n),
    ]);
    const trades = events.filter((event): event is Trade => event.kind === "trade");
    const built = trades.map((trade) => [
      trade.instrument.venueSymbol,
      trade.tradeId,
      trade.aggressorSide,
      Number(formatDecimal(trade.priceMantissa, trade.priceScale)),
      Number(formatDecimal(trade.sizeMantissa, trade.sizeScale)),
      trade.venueTimeUs,
    ]);
    expect(built).toEqual(raw);
  });

  test("every pair that trades is listed, one to one, those of renamed assets as well", () => {
    const list = lines.find(({ url }) => url?.endsWith("/api/v1/symbols") === true);
    const raw = (JSON.parse(list?.body ?? "") as { data: Record<string, unknown>[] }).data;
    const { instruments = [], skipped } = kucoin.parseInstruments(list?.body ?? "", "") ?? {};
    expect(instruments.map(({ venueSymbol }) => venueSymbol)).toEqual(
      raw.filter((pair) => pair["enableTrading"]).map((pair) => pair["symbol"]),
    );
    expect(new Set(instruments.map(({ symbol }) => symbol)).size).toBe(633);
    expect(skipped).toBe(1);
  });
});
