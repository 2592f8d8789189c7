import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { canonicalDecimal, formatDecimal } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture } from "#test/support/decode-capture.ts";
import { htx } from "./adapter.ts";

const PATH = capturePath("htx-10-pairs");

/** The texts of the received frames, unpacked. */
function readTexts(path: string): string[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8").trimEnd();
  return text
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly kind?: string; readonly base64?: string })
    .filter(({ kind }) => kind === "received")
    .map(({ base64 = "" }) => gunzipSync(Buffer.from(base64, "base64")).toString("utf8"));
}

/**
 * Numbers as they stand in a frame, without reading it as JSON. The newest trade stands first: a
 * buyer's prices rise from the last to the first, as the short ids do.
 */
function numbersOf(text: string): string[][] {
  const trades = text.match(/\{"id":\d+,"ts":\d+,"tradeId"[^}]+\}/g) ?? [];
  return trades
    .toReversed()
    .map((trade) =>
      ["id", "ts", "amount", "price", "direction"].map(
        (key) => new RegExp(`"${key}":"?([^",}]+)`).exec(trade)?.[1] ?? "",
      ),
    );
}

describe.skipIf(PATH === undefined)("ten pairs of HTX", async () => {
  const texts = PATH === undefined ? [] : readTexts(PATH);
  const capture = PATH === undefined ? undefined : await decodeCapture(htx, PATH);
  const events = capture?.events ?? [];

  test("nothing is rejected, every subscription is confirmed and every ping answered", () => {
    const kinds: Record<string, number> = {};
    for (const event of events) kinds[event.kind] = (kinds[event.kind] ?? 0) + 1;
    expect(kinds).toEqual({ subscribed: 20, reply: 6, trade: texts.flatMap(numbersOf).length });
  });

  test("every whole book is taken, and the last one stands at the end, uncrossed", () => {
    const depths = texts.filter((text) => /"ch":"market\.\w+\.depth\.step0"/.test(text));
    expect([depths.length, capture?.snapshots, capture?.gaps]).toEqual([292, 292, 0]);
    expect(capture?.builders.size).toBe(10);
    for (const [venueSymbol, { book }] of capture?.builders ?? []) {
      expect(book.isCrossed()).toBe(false);
      const last = depths.findLast((text) => text.includes(`"market.${venueSymbol}.`)) ?? "";
      for (const side of ["bids", "asks"] as const) {
        const levels = new RegExp(`"${side}":\\[((?:\\[[^\\]]*\\],?)*)\\]`).exec(last)?.[1] ?? "";
        const raw = [...levels.matchAll(/\[([^,\]]+),([^\]]+)\]/g)].map(([, price, size]) => [
          canonicalDecimal(price ?? ""),
          canonicalDecimal(size ?? ""),
        ]);
        const { prices, sizes } = book[side]();
        const built = prices.map((price, index) => [
          formatDecimal(price, book.priceScale),
          formatDecimal(sizes[index] ?? 0, book.sizeScale),
        ]);
        expect(built.length).toBeGreaterThan(0);
        expect(built).toEqual(raw);
      }
    }
  });

  test("trades are those of the raw frames to the last digit of their ids", () => {
    const raw = texts
      .flatMap(numbersOf)
      .map(([id, ts, amount = "", price = "", direction]) => [
        id,
        Number(ts) * 1000,
        canonicalDecimal(amount),
        canonicalDecimal(price),
        direction === "buy" ? "buyer" : "seller",
      ]);
    const trades = events.filter((event): event is Trade => event.kind === "trade");
    const built = trades.map((trade) => [
      trade.tradeId,
      trade.venueTimeUs,
      formatDecimal(trade.sizeMantissa, trade.sizeScale),
      formatDecimal(trade.priceMantissa, trade.priceScale),
      trade.aggressorSide,
    ]);
    expect(built).toEqual(raw);
    expect(trades.some((trade) => trade.tradeId.length === 27)).toBe(true);
  });

  test("what was traded before the subscription is history", () => {
    const begun = new Set<string>();
    const raw = texts.flatMap((text) => {
      const symbol = /"ch":"market\.(\w+)\.trade\.detail"/.exec(text)?.[1] ?? "";
      const isFirst = !begun.has(symbol);
      begun.add(symbol);
      return numbersOf(text).map(() => isFirst);
    });
    const trades = events.filter((event): event is Trade => event.kind === "trade");
    expect(trades.map(({ historical }) => historical)).toEqual(raw);
    // Ten pairs, one of which begins with two trades of one match.
    expect(raw.filter(Boolean).length).toBe(11);
  });

  test("the trades of one order go up for a buyer and down for a seller", () => {
    let pairs = 0;
    for (const text of texts) {
      const prices = numbersOf(text).map(([, , , price]) => Number(price));
      const side = /"direction":"(\w+)"/.exec(text)?.[1] === "buy" ? 1 : -1;
      for (const [index, price] of prices.slice(1).entries()) {
        expect((price - (prices[index] ?? 0)) * side).toBeGreaterThanOrEqual(0);
        pairs += 1;
      }
    }
    expect(pairs).toBeGreaterThan(20);
  });
});
