import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture, hashBook } from "#test/support/decode-capture.ts";
import { bitfinex } from "./adapter.ts";

const PATH = capturePath("bitfinex-7-pairs");

type Subscribed = { readonly event: string; readonly chanId: number; readonly symbol: string };

describe.skipIf(PATH === undefined)("seven pairs of Bitfinex", async () => {
  const capture = PATH === undefined ? undefined : await decodeCapture(bitfinex, PATH);
  const messages = (capture?.frames ?? []).map((frame) => JSON.parse(String(frame)) as unknown);
  const arrays = messages.filter((message): message is unknown[] => Array.isArray(message));
  const symbols = new Map<unknown, string>();
  const kinds = new Map<unknown, string>();
  for (const message of messages as (Subscribed & { readonly channel: string })[]) {
    if (message.event !== "subscribed") continue;
    symbols.set(message.chanId, message.symbol);
    kinds.set(message.chanId, message.channel);
  }
  const events = capture?.events ?? [];

  test("every message is numbered by the connection, without a hole", () => {
    const sequences = arrays.map((message) => Number(message.at(-1)));
    const links = sequences.filter((sequence, index) => sequence === sequences[index - 1]! + 1);
    expect([sequences.length, links.length]).toEqual([1670, 1669]);
  });

  test("nothing is rejected, though heartbeats come for channels that are not yet confirmed", () => {
    const before = arrays.filter(([id, payload]) => payload === "hb" && id === 232954);
    expect(before.length).toBeGreaterThan(0);
    expect(events.filter((event) => event.kind === "rejected")).toEqual([]);
    expect(capture?.gaps).toBe(0);
  });

  test("the books are those of a plain map over the raw levels", () => {
    const books = new Map<string, { bids: Map<string, string>; asks: Map<string, string> }>();
    for (const [id, payload] of arrays) {
      const symbol = symbols.get(id) ?? "";
      if (kinds.get(id) !== "book" || !Array.isArray(payload)) continue;
      const isSnapshot = payload.length === 0 || Array.isArray(payload[0]);
      if (isSnapshot) books.set(symbol, { bids: new Map(), asks: new Map() });
      for (const level of (isSnapshot ? payload : [payload]) as number[][]) {
        const [price = 0, count = 0, amount = 0] = level;
        const book = books.get(symbol);
        const side = amount > 0 ? book?.bids : book?.asks;
        if (count === 0) side?.delete(plain(price));
        else side?.set(plain(price), plain(Math.abs(amount)));
      }
    }
    expect(books.size).toBe(7);
    expect(capture?.builders.size).toBe(7);
    for (const [symbol, { bids, asks }] of books) {
      const builder = capture?.builders.get(symbol);
      expect(builder?.isLive).toBe(true);
      expect(builder?.book.isCrossed()).toBe(false);
      const side = (levels: Map<string, string>, direction: 1 | -1): string[] =>
        [...levels]
          .toSorted(([a], [b]) => direction * (Number(a) - Number(b)))
          .map(([price, size]) => `${price},${size}`);
      const text = `${side(bids, -1).join("|")}#${side(asks, 1).join("|")}`;
      const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
      expect([symbol, builder && hashBook(builder.book)]).toEqual([symbol, hash]);
    }
  });

  test("the trades sent on subscribing are history, oldest first, with the side of their amount", () => {
    const trades = events.filter((event): event is Trade => event.kind === "trade");
    const raw = arrays
      .filter(([id, payload]) => kinds.get(id) === "trades" && Array.isArray(payload))
      .flatMap(([id, payload]) =>
        (payload as number[][]).toReversed().map(([tradeId, , amount = 0]) => ({
          symbol: symbols.get(id),
          tradeId: String(tradeId),
          side: amount > 0 ? "buyer" : "seller",
        })),
      );
    expect(raw.length).toBeGreaterThan(150);
    expect(
      trades.map(({ instrument, tradeId, aggressorSide }) => ({
        symbol: instrument.venueSymbol,
        tradeId,
        side: aggressorSide,
      })),
    ).toEqual(raw);
    expect(trades.every(({ historical }) => historical)).toBe(true);
  });

  test("each of the 21 tickers gives a ticker, and no quote", () => {
    expect(events.filter((event) => event.kind === "ticker")).toHaveLength(21);
    expect(events.filter((event) => event.kind === "quote")).toEqual([]);
  });
});

/** A double in plain decimals. */
function plain(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  const [digits = "", exponent = "0"] = text.split("e");
  const places = Math.max(0, (digits.split(".")[1]?.length ?? 0) - Number(exponent));
  return value.toFixed(places).replace(/\.?0+$/, "");
}
