import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture, hashBook } from "#test/support/decode-capture.ts";
import { coinbase } from "./adapter.ts";

const PATH = capturePath("coinbase-10-pairs");

describe.skipIf(PATH === undefined)("ten pairs of Coinbase Exchange", async () => {
  const capture = PATH === undefined ? undefined : await decodeCapture(coinbase, PATH);
  const events = capture?.events ?? [];
  const trades = events.filter((event): event is Trade => event.kind === "trade");

  test("97 matches are live and the 10 sent on subscribing are historical", () => {
    expect(trades.filter((trade) => !trade.historical)).toHaveLength(97);
    expect(trades.filter((trade) => trade.historical)).toHaveLength(10);
  });

  test("nothing is rejected, and no trade number is missing", () => {
    expect(events.filter((event) => event.kind === "rejected")).toEqual([]);
  });

  test("the aggressor is who the ticker says it is, in 107 of 107", () => {
    const takers = new Map<string, string>();
    for (const frame of capture?.frames ?? []) {
      const message = JSON.parse(String(frame)) as Record<string, string>;
      if (message["type"] !== "ticker") continue;
      takers.set(`${message["product_id"]} ${message["trade_id"]}`, message["side"] ?? "");
    }
    const agreeing = trades.filter((trade) => {
      const taker = takers.get(`${trade.instrument.venueSymbol} ${trade.tradeId}`);
      return trade.aggressorSide === (taker === "buy" ? "buyer" : "seller") && taker !== undefined;
    });
    expect(takers.size).toBe(107);
    expect(agreeing).toHaveLength(107);
  });

  test("tickers of that time have no sizes, so they give no quotes", () => {
    expect(events.filter((event) => event.kind === "ticker")).toHaveLength(107);
    expect(events.filter((event) => event.kind === "quote")).toEqual([]);
  });

  test("the book of SKL-USD ends as the worked example says", () => {
    const book = capture?.builders.get("SKL-USD")?.book;
    expect(capture?.deltas.get("SKL-USD")).toBe(2592);
    expect([book?.bidCount, book?.askCount]).toEqual([816, 1341]);
    expect(book === undefined ? "" : hashBook(book)).toBe("90aa1e5266dff4b2");
  });

  test("all 9,719 updates are applied and every book ends uncrossed", () => {
    const books = [...(capture?.builders.values() ?? [])].map((builder) => builder.book);
    const deltas = [...(capture?.deltas.values() ?? [])].reduce((sum, count) => sum + count, 0);
    expect([capture?.snapshots, deltas]).toEqual([10, 9719]);
    expect(books.filter((book) => book.isCrossed())).toEqual([]);
  });
});
