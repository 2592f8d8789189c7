import { describe, expect, test } from "vitest";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture, hashBook } from "#test/support/decode-capture.ts";
import { krakenV1 } from "./v1/adapter.ts";
import { kraken } from "./adapter.ts";

const V1 = capturePath("kraken-v1-10-pairs");
const ETH = capturePath("kraken-v2-ethusd");
const BTC = capturePath("kraken-v2-btcusd-depth10-resubscribes");

describe.skipIf(V1 === undefined)("ten pairs over v1", async () => {
  const capture = V1 === undefined ? undefined : await decodeCapture(krakenV1, V1);

  test("all 4,269 checksums are right", () => {
    expect(capture?.checksums).toEqual({ passed: 4269, failed: 0 });
    expect(capture?.gaps).toBe(0);
    expect(capture?.snapshots).toBe(10);
  });

  test("nothing is rejected, and every subscription is confirmed", () => {
    const counts: Record<string, number> = {};
    for (const event of capture?.events ?? []) counts[event.kind] = (counts[event.kind] ?? 0) + 1;
    // Trades come several to a message.
    expect(counts).toEqual({
      subscribed: 30,
      heartbeat: 92,
      "venue-state": 3,
      ticker: 18,
      quote: 18,
      trade: 10,
    });
  });

  test("the book of XMR/USD ends as the worked example says", () => {
    const book = capture?.builders.get("XMR/USD")?.book;
    expect(capture?.deltas.get("XMR/USD")).toBe(846);
    expect([book?.bidCount, book?.askCount]).toEqual([657, 426]);
    expect(book === undefined ? "" : hashBook(book)).toBe("129251888e7578df");
  });

  test("every book ends uncrossed", () => {
    const books = [...(capture?.builders.values() ?? [])].map((builder) => builder.book);
    expect(books).toHaveLength(10);
    expect(books.filter((book) => book.isCrossed())).toEqual([]);
  });
});

describe.skipIf(ETH === undefined)("ETH/USD over v2 at depth 25", async () => {
  const capture = ETH === undefined ? undefined : await decodeCapture(kraken, ETH);

  test("all 1,129 checksums are right", () => {
    expect(capture?.checksums).toEqual({ passed: 1129, failed: 0 });
    expect([capture?.snapshots, capture?.deltas.get("ETH/USD")]).toEqual([1, 1128]);
    expect(capture?.events.filter((event) => event.kind === "rejected")).toEqual([]);
  });
});

describe.skipIf(BTC === undefined)(
  "BTC/USD over v2 at depth 10, subscribed eight times",
  async () => {
    const capture = BTC === undefined ? undefined : await decodeCapture(kraken, BTC);

    test("all 301 checksums are right: the depth is that of the acknowledgements", () => {
      expect(capture?.checksums).toEqual({ passed: 301, failed: 0 });
      expect([capture?.snapshots, capture?.deltas.get("BTC/USD")]).toEqual([5, 296]);
      expect(capture?.events.filter((event) => event.kind === "rejected")).toEqual([]);
    });

    test("without cutting the book to the depth the checksums stop being right", async () => {
      const whole = await decodeCapture(kraken, BTC ?? "", { untruncated: true });
      expect(whole.checksums.failed).toBeGreaterThan(0);
    });

    test("a dropped delta is noticed by the checksum", async () => {
      let updates = 0;
      const altered = await decodeCapture(kraken, BTC ?? "", {
        alter: (frame) => {
          if (!frame.includes('"type":"update"') || !frame.includes('"channel":"book"'))
            return frame;
          updates += 1;
          return updates === 3 ? '{"channel":"heartbeat"}' : frame;
        },
      });
      expect(altered.checksums.failed).toBeGreaterThan(0);
      expect(altered.gaps).toBe(altered.checksums.failed);
    });
  },
);
