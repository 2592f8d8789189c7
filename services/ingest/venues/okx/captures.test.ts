import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture, hashBook } from "#test/support/decode-capture.ts";
import { readCapture } from "../../capture/capture-reader.ts";
import { okx } from "./adapter.ts";

const PATH = capturePath("okx-3-instruments");

type VenueMessage = {
  readonly event?: string;
  readonly action?: string;
  readonly arg?: { readonly channel: string; readonly instId: string };
  readonly data?: readonly Readonly<Record<string, string>>[];
};

describe.skipIf(PATH === undefined)("three instruments of OKX in 2022", async () => {
  const capture = PATH === undefined ? undefined : await decodeCapture(okx, PATH);
  const events = capture?.events ?? [];
  const messages = (capture?.frames ?? []).map(
    (frame) => JSON.parse(String(frame)) as VenueMessage,
  );
  const itemsOf = (channel: string): readonly Readonly<Record<string, string>>[] =>
    messages
      .filter((message) => message.arg?.channel === channel)
      .flatMap((message) => message.data ?? []);
  const trades = events.filter((event): event is Trade => event.kind === "trade");

  test("nothing is rejected and nothing is a gap", () => {
    expect(events.filter((event) => event.kind === "rejected")).toEqual([]);
    expect(capture?.gaps).toBe(0);
  });

  test("all 290 checksums are right", () => {
    expect(capture?.checksums).toEqual({ passed: 290, failed: 0 });
    expect(itemsOf("books")).toHaveLength(290);
    expect(capture?.snapshots).toBe(3);
  });

  test("a checksum that is one too high is a gap, 290 times", async () => {
    const altered =
      PATH === undefined
        ? undefined
        : await decodeCapture(okx, PATH, {
            alter: (frame) =>
              frame.replace(/"checksum":(-?\d+)/, (_, sum) => `"checksum":${Number(sum) + 1}`),
          });
    expect(altered?.checksums.passed).toBe(0);
    expect(altered?.gaps).toBeGreaterThan(0);
  });

  test("the book of BTC-USD-220527 ends as the worked example says", () => {
    const book = capture?.builders.get("BTC-USD-220527")?.book;
    expect(capture?.deltas.get("BTC-USD-220527")).toBe(98);
    expect([book?.bidCount, book?.askCount]).toEqual([74, 62]);
    expect(book === undefined ? "" : hashBook(book)).toBe("4314d736ef4ba109");
  });

  test("every book ends uncrossed, with no more than the venue's 400 levels a side", () => {
    const books = [...(capture?.builders.values() ?? [])].map((builder) => builder.book);
    expect(books.filter((book) => book.isCrossed())).toEqual([]);
    for (const book of books)
      expect(Math.max(book.bidCount, book.askCount)).toBeLessThanOrEqual(400);
  });

  test("each trade keeps its id and its side, and the one sent on subscribing is history", () => {
    const told = itemsOf("trades").map(
      (item) => `${item["instId"]} ${item["tradeId"]} ${item["side"]}`,
    );
    const published = trades.map(
      (trade) =>
        `${trade.instrument.venueSymbol} ${trade.tradeId} ${trade.aggressorSide === "buyer" ? "buy" : "sell"}`,
    );
    expect(published).toEqual(told);
    expect(trades).toHaveLength(74);
    expect(trades.filter((trade) => trade.historical)).toHaveLength(3);
  });

  test("who bought did so at the best offer, who sold at the best bid, in 71 of 71", () => {
    const sides = new Map<string, { bids: Map<number, string>; asks: Map<number, string> }>();
    let [agreeing, judged] = [0, 0];
    for (const { arg, action, data } of messages) {
      if (arg === undefined || data === undefined) continue;
      const book = sides.get(arg.instId) ?? { bids: new Map(), asks: new Map() };
      for (const item of data) {
        if (arg.channel === "trades" && book.bids.size > 0) {
          judged += 1;
          const price = Number(item["px"]);
          const isRight =
            item["side"] === "buy"
              ? price >= Math.min(...book.asks.keys())
              : price <= Math.max(...book.bids.keys());
          if (isRight) agreeing += 1;
        }
        if (arg.channel !== "books") continue;
        if (action === "snapshot") sides.set(arg.instId, book);
        for (const side of ["bids", "asks"] as const) {
          for (const [price, size] of item[side] as unknown as readonly (readonly string[])[]) {
            if (size === "0") book[side].delete(Number(price));
            else book[side].set(Number(price), String(size));
          }
        }
      }
    }
    expect([agreeing, judged]).toEqual([71, 71]);
  });

  test("every ticker of the recording is one of ours", () => {
    expect(events.filter((event) => event.kind === "ticker")).toHaveLength(
      itemsOf("tickers").length,
    );
    expect(itemsOf("tickers")).toHaveLength(28);
  });

  test("instruments come out of the recorded lists, derivatives counted in contracts", () => {
    const instruments = new Map(trades.map(({ instrument }) => [instrument.symbol, instrument]));
    expect([...instruments.keys()].toSorted()).toEqual([
      "BTC-USD-20220527",
      "BTC-USDT",
      "UNI-USD-PERP",
    ]);
    expect(instruments.get("BTC-USD-20220527")).toMatchObject({
      kind: "future",
      inverse: true,
      settle: "BTC",
      contractSize: "100",
      sizeUnit: "contract",
      expiryTimeUs: Date.UTC(2022, 4, 27, 8) * 1000,
    });
    expect(instruments.get("BTC-USDT")).toMatchObject({ sizeUnit: "base", priceIncrement: "0.1" });
  });

  test("all 1,479 listed instruments are mapped, one to one, as their ids alone would be", async () => {
    const symbols = new Set<string>();
    const ids = new Set<string>();
    let skipped = 0;
    for await (const line of readCapture(PATH ?? "")) {
      if (line.kind !== "http") continue;
      const { data } = JSON.parse(line.body) as { data: readonly { readonly instId: string }[] };
      for (const { instId } of data) ids.add(instId);
      const list = okx.parseInstruments(line.body, line.url);
      skipped += list?.skipped ?? 1;
      for (const { symbol, venueSymbol, kind, inverse, settle } of list?.instruments ?? []) {
        symbols.add(symbol);
        const derived = okx.deriveInstrument(venueSymbol);
        expect(derived).toMatchObject({ symbol, kind, inverse, settle });
      }
    }
    expect([symbols.size, ids.size, skipped]).toEqual([1479, 1479, 0]);
  });
});
