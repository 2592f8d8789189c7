import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture } from "#test/support/decode-capture.ts";
import { bitgetV1 } from "./adapter.ts";

const PATH = capturePath("bitget-v1-10-pairs");

type VenueMessage = {
  readonly action?: string;
  readonly arg?: { readonly instType: string; readonly channel: string; readonly instId: string };
  readonly data?: readonly Readonly<Record<string, unknown>>[];
};

describe.skipIf(PATH === undefined)("ten pairs of Bitget in 2022, on two connections", async () => {
  const capture = PATH === undefined ? undefined : await decodeCapture(bitgetV1, PATH);
  const events = capture?.events ?? [];
  const messages = (capture?.frames ?? []).map(
    (frame) => JSON.parse(String(frame)) as VenueMessage,
  );
  /** Rows as the venue sent them, of one channel and one part of the venue or both. */
  const rows = (channel: string, market?: string): number =>
    messages
      .filter(({ arg }) => arg?.channel === channel && (market ?? arg.instType) === arg.instType)
      .reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  const count = (kind: string): number => events.filter((event) => event.kind === kind).length;
  const trades = events.filter((event): event is Trade => event.kind === "trade");

  test("of 1,157 frames nothing is rejected and nothing is a gap", () => {
    expect(messages).toHaveLength(1157);
    expect(events.filter((event) => event.kind === "rejected")).toEqual([]);
    expect(capture?.gaps).toBe(0);
  });

  test("all 637 checksums are right, in 10 snapshots and 627 updates", () => {
    expect(capture?.checksums).toEqual({ passed: 637, failed: 0 });
    expect(capture?.snapshots).toBe(10);
    expect(rows("books")).toBe(637);
  });

  test("a checksum that is one too low is a gap for that book alone", async () => {
    const altered =
      PATH === undefined
        ? undefined
        : await decodeCapture(bitgetV1, PATH, {
            alter: (frame) =>
              frame.includes('"instId":"EOSUSDT"')
                ? frame.replace(/"checksum":(-?\d+)/, (_, sum) => `"checksum":${Number(sum) - 1}`)
                : frame,
          });
    const isEos = ({ arg }: VenueMessage): boolean => arg?.instId === "EOSUSDT";
    const others = messages.filter((each) => each.arg?.channel === "books" && !isEos(each));
    expect(altered?.checksums.passed).toBe(others.filter((each) => each.data).length);
    expect(altered?.checksums.failed).toBe(1);
  });

  test("every book ends uncrossed, with levels on both sides", () => {
    const books = [...(capture?.builders.values() ?? [])].map((builder) => builder.book);
    expect(books).toHaveLength(10);
    expect(books.filter((book) => book.isCrossed())).toEqual([]);
    expect(books.filter((book) => book.bidCount < 50 || book.askCount < 50)).toEqual([]);
  });

  test("55 trades are live; the 50 of each pair sent on subscribing are historical", () => {
    expect(rows("trade")).toBe(555);
    expect(trades.filter((trade) => trade.historical)).toHaveLength(500);
    expect(trades.filter((trade) => !trade.historical)).toHaveLength(55);
    expect(trades.filter((trade) => trade.tradeId !== "")).toEqual([]);
  });

  test("trades of an instrument come oldest first", () => {
    const last = new Map<string, number>();
    for (const { instrument, venueTimeUs = Number.NaN } of trades) {
      expect(venueTimeUs).toBeGreaterThanOrEqual(last.get(instrument.symbol) ?? 0);
      last.set(instrument.symbol, venueTimeUs);
    }
    expect(last.size).toBe(10);
  });

  test("sides are those that the venue names", () => {
    const named = messages
      .filter(({ arg }) => arg?.channel === "trade")
      .flatMap(({ data }) => data ?? [])
      .map((row) => (row as unknown as readonly string[])[3]);
    const of = (side: string): number => named.filter((each) => each === side).length;
    const by = (side: string): number =>
      trades.filter((trade) => trade.aggressorSide === side).length;
    expect([by("buyer"), by("seller")]).toEqual([of("buy"), of("sell")]);
  });

  test("9 of the 11 live trades at the best price are on the taker's side of the book", () => {
    const live = trades.filter((trade) => !trade.historical);
    const atBest = touches(messages);
    expect(atBest).toHaveLength(live.length);
    const sides = live.map(({ aggressorSide }, index) => [aggressorSide, atBest[index]]);
    const agreeing = sides.filter(([side, best]) => best === (side === "buyer" ? "ask" : "bid"));
    expect([agreeing.length, atBest.filter((best) => best !== undefined).length]).toEqual([9, 11]);
    expect(sides).not.toContainEqual(["buyer", "bid"]);
  });

  test("tickers of contracts carry funding, mark price and open interest, and none a quote", () => {
    expect(count("ticker")).toBe(rows("ticker"));
    expect(count("ticker")).toBe(345);
    for (const kind of ["funding", "mark-price", "open-interest"]) {
      expect([kind, count(kind)]).toEqual([kind, rows("ticker", "mc")]);
    }
    expect(count("quote")).toBe(0);
  });

  test("all candles sent on subscribing but the last are closed, the last when its minute ends", () => {
    expect(rows("candle1m")).toBe(10_060);
    // The minute of each of the ten pairs ends once.
    expect(count("candle")).toBe(10_070);
    expect(events.filter((event) => event.kind === "candle" && !event.closed)).toHaveLength(70);
  });

  test("all 40 subscriptions are acknowledged", () => {
    expect(
      events.filter((event) => event.kind === "subscribed" && event.channel === "book"),
    ).toHaveLength(10);
    expect(count("refused")).toBe(0);
  });
});

/** Which best price each live trade was at or beyond, by books kept in the plainest way. */
function touches(messages: readonly VenueMessage[]): readonly ("ask" | "bid" | undefined)[] {
  const books = new Map<
    string,
    { readonly asks: Map<number, string>; readonly bids: Map<number, string> }
  >();
  const found: ("ask" | "bid" | undefined)[] = [];
  for (const { action, arg, data } of messages) {
    const key = `${arg?.instType} ${arg?.instId}`;
    if (arg?.channel === "books" && data !== undefined) {
      const book = action === "snapshot" ? undefined : books.get(key);
      const { asks, bids } = book ?? { asks: new Map(), bids: new Map() };
      books.set(key, { asks, bids });
      const changes = data[0] as Readonly<Record<"asks" | "bids", readonly [string, string][]>>;
      for (const [side, levels] of [
        [asks, changes.asks],
        [bids, changes.bids],
      ] as const) {
        for (const [price, size] of levels) {
          if (Number(size) === 0) side.delete(Number(price));
          else side.set(Number(price), size);
        }
      }
    }
    const book = books.get(key);
    if (arg?.channel !== "trade" || action !== "update" || book === undefined) continue;
    for (const row of data ?? []) {
      const price = Number((row as unknown as readonly string[])[1]);
      const isAsk = price >= Math.min(...book.asks.keys());
      found.push(isAsk ? "ask" : price <= Math.max(...book.bids.keys()) ? "bid" : undefined);
    }
  }
  return found;
}
