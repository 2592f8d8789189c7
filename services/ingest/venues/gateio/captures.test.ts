import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { formatDecimal } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture } from "#test/support/decode-capture.ts";
import { levelsOf, plainLevelsOf } from "#test/support/plain-books.ts";
import { gateio } from "./adapter.ts";

const PATH = capturePath("gateio-10-pairs");

type Update = {
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly b: readonly (readonly [string, string])[];
  readonly a: readonly (readonly [string, string])[];
};

type Line = {
  readonly kind?: string;
  readonly url?: string;
  readonly body?: string;
  readonly text?: string;
};

function readLines(path: string): Line[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8").trimEnd();
  return text.split("\n").map((line) => JSON.parse(line) as Line);
}

/** The raw frames of one channel, parsed, without the answers to requests. */
function updatesOf(lines: readonly Line[], channel: string): { readonly result: unknown }[] {
  return lines
    .filter(({ kind, text }) => kind === "received" && text?.includes(`"${channel}"`) === true)
    .map(({ text }) => JSON.parse(text ?? "") as { event: string; result: unknown })
    .filter(({ event }) => event === "update");
}

/** Books made with plain maps and texts: what the snapshot holds already is left out. */
function plainBooks(lines: readonly Line[]) {
  const updates = updatesOf(lines, "spot.order_book_update").map(({ result }) => result as Update);
  const books = new Map<string, { bids: Map<string, string>; asks: Map<string, string> }>();
  const counts = { bridged: 0, chained: 0, applied: 0 };
  for (const { kind, url = "", body = "" } of lines) {
    const pair = /order_book\?currency_pair=(\w+)/.exec(url)?.[1];
    if (kind !== "http" || pair === undefined) continue;
    const { id, bids, asks } = JSON.parse(body);
    const book = { bids: new Map<string, string>(bids), asks: new Map<string, string>(asks) };
    let last = id as number;
    for (const update of updates.filter(({ s, u }) => s === pair && u > id)) {
      if (last === id) counts.bridged += Number(update.U <= id + 1);
      else counts.chained += Number(update.U === last + 1);
      last = update.u;
      counts.applied += 1;
      for (const [side, levels] of [
        ["bids", update.b],
        ["asks", update.a],
      ] as const) {
        for (const [price, size] of levels) {
          if (size === "0") book[side].delete(price);
          else book[side].set(price, size);
        }
      }
    }
    books.set(pair, book);
  }
  return { books, counts };
}

describe.skipIf(PATH === undefined)("ten pairs of Gate", async () => {
  const lines = PATH === undefined ? [] : readLines(PATH);
  const capture = PATH === undefined ? undefined : await decodeCapture(gateio, PATH);
  const events = capture?.events ?? [];
  const { books, counts } = plainBooks(lines);

  test("nothing is rejected and every subscription is confirmed", () => {
    const kinds: Record<string, number> = {};
    for (const event of events) kinds[event.kind] = (kinds[event.kind] ?? 0) + 1;
    const candles = updatesOf(lines, "spot.candlesticks");
    // Of that time: without the volume in the base asset.
    const traded = candles.filter(({ result }) => (result as { v: string }).v !== "0");
    expect(kinds).toEqual({
      subscribed: 40,
      trade: updatesOf(lines, "spot.trades").length,
      ticker: updatesOf(lines, "spot.tickers").length,
      candle: candles.length - traded.length,
      heartbeat: traded.length,
    });
    expect([kinds["trade"], kinds["ticker"], candles.length]).toEqual([9, 22, 14]);
  });

  test("every change continues the one before, and every book bridges its snapshot", () => {
    const deltas = [...(capture?.deltas.values() ?? [])].reduce((sum, count) => sum + count, 0);
    expect([capture?.gaps, deltas]).toEqual([0, counts.applied]);
    // Ten books, of which two had no change behind their snapshot.
    expect(counts).toEqual({ bridged: 8, chained: 151, applied: 159 });
    expect(capture?.snapshots).toBe(10);
  });

  test("every book ends as one made with plain maps, and uncrossed", () => {
    expect(capture?.builders.size).toBe(10);
    for (const [pair, { book }] of capture?.builders ?? []) {
      expect(book.isCrossed()).toBe(false);
      for (const side of ["bids", "asks"] as const) {
        expect(levelsOf(book, side)).toEqual(plainLevelsOf(books.get(pair)?.[side], side));
      }
    }
  });

  test("trades are those of the raw frames, field by field", () => {
    const trades = events.filter((event): event is Trade => event.kind === "trade");
    const raw = updatesOf(lines, "spot.trades").map(({ result }) => {
      const trade = result as Record<string, string>;
      const [ms = "", fraction = ""] = String(trade["create_time_ms"]).split(".");
      return [
        String(trade["id"]),
        trade["side"] === "buy" ? "buyer" : "seller",
        Number(trade["price"]),
        Number(trade["amount"]),
        Number(ms) * 1000 + Number(fraction.slice(0, 3).padEnd(3, "0")),
      ];
    });
    const built = trades.map((trade) => [
      trade.tradeId,
      trade.aggressorSide,
      Number(formatDecimal(trade.priceMantissa, trade.priceScale)),
      Number(formatDecimal(trade.sizeMantissa, trade.sizeScale)),
      trade.venueTimeUs,
    ]);
    expect(built).toEqual(raw);
  });
});
