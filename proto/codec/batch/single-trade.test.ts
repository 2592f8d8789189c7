import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchRows } from "../types.ts";
import { WireError } from "../wire-error.ts";
import { BatchWriter } from "./batch-writer.ts";
import { elementLength, putElement } from "./bus-batch.ts";
import { ChainReader } from "./chain-reader.ts";
import { payloadTable } from "./payload.ts";
import { QUOTES_PAYLOAD } from "./quotes-payload.ts";
import { TRADES_PAYLOAD } from "./trades-payload.ts";

// A reader that uses its objects again, by a short way for single trades, is held to one that does
// not: on trades of every kind, alone and in batches, and on bytes that are damaged.

const PAYLOADS = payloadTable([TRADES_PAYLOAD, QUOTES_PAYLOAD]);
const PUBLISHED_US = 1_700_000_000_000_000;

type Trade = Extract<BatchRows, { kind: "trades" }>["rows"][number];

/** What a reader makes of bytes; copied, because the next batch may take it over. */
function readingOf(reader: ChainReader, bytes: Uint8Array): unknown {
  try {
    return structuredClone(reader.read(bytes));
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** The elements of batches of trades, of which the first has its base. */
function elementsOf(batches: readonly (readonly Trade[])[]): Uint8Array[] {
  const writer = new BatchWriter({ kind: "trades", epoch: 5 });
  let isFirst = true;
  return batches.flatMap((rows) =>
    writer.write({ kind: "trades", rows }, { publishedTimeUs: PUBLISHED_US }).map((part) => {
      const element = contentOf(part, isFirst);
      isFirst = false;
      return element;
    }),
  );
}

/** A batch without the tag and the length that it has in a frame. */
function contentOf(part: Parameters<typeof elementLength>[0], withBase: boolean): Uint8Array {
  const frame = new Uint8Array(elementLength(part, 1, withBase));
  putElement(frame, 0, part, { topicId: 1, withBase });
  const start = frame.findIndex((byte, index) => index > 0 && byte < 0x80) + 1;
  return frame.subarray(start);
}

const mantissa = fc.oneof(
  fc.nat({ max: 1_000_000 }),
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
);
const timeUs = fc.oneof(
  fc.integer({ min: PUBLISHED_US, max: PUBLISHED_US + 5_000_000 }),
  fc.maxSafeNat(),
);
const trade = fc.record({
  receivedTimeUs: timeUs,
  venueTimeUs: fc.option(
    fc.oneof(
      timeUs,
      timeUs.map((time) => time - (time % 1_000)),
    ),
    { nil: undefined },
  ),
  priceMantissa: mantissa,
  priceScale: fc.constantFrom(2, 2, 2, 4),
  sizeMantissa: mantissa.filter((value) => value >= 0),
  sizeScale: fc.constantFrom(3, 3, 3, 0),
  aggressorSide: fc.constantFrom("buyer", "seller", "none"),
  tradeId: fc.oneof(
    fc.nat({ max: 9_999 }).map(String),
    fc.nat({ max: 999 }).map((id) => `T-${String(id).padStart(5, "0")}`),
    fc.constant(""),
    fc.string({ maxLength: 6 }),
  ),
  historical: fc.boolean(),
});
/** As they come from a venue: each a little after the one before. */
const steady = (count: number): Trade[] =>
  Array.from({ length: count }, (_, index) => ({
    receivedTimeUs: PUBLISHED_US + index * 977,
    venueTimeUs: PUBLISHED_US + index * 1_000 - 40_000,
    priceMantissa: 6_500_000 + ((index * 7) % 40),
    priceScale: 2,
    sizeMantissa: 1 + ((index * 31) % 5_000),
    sizeScale: 3,
    aggressorSide: index % 3 === 0 ? "buyer" : "seller",
    tradeId: String(1_000 + index + (index % 5 === 0 ? index : 0)),
    historical: false,
  }));

describe("a reader that uses single batches again", () => {
  test("takes the short way for nearly all trades that come alone", () => {
    let short = 0;
    const readSingle: typeof TRADES_PAYLOAD.readSingle = (...given) => {
      const isShort = TRADES_PAYLOAD.readSingle!(...given);
      if (isShort) short += 1;
      return isShort;
    };
    const payloads = payloadTable([{ ...TRADES_PAYLOAD, readSingle }]);
    const reader = new ChainReader(payloads, { reusesSingles: true });
    const plain = new ChainReader(PAYLOADS);
    for (const element of elementsOf(steady(1_000).map((row) => [row]))) {
      expect(readingOf(reader, element)).toEqual(readingOf(plain, element));
    }
    expect(short).toBeGreaterThan(900);
  });

  test("gives the same object for every batch of one event", () => {
    const reader = new ChainReader(PAYLOADS, { reusesSingles: true });
    const readings = elementsOf(steady(3).map((row) => [row])).map((bytes) => reader.read(bytes));
    expect(new Set(readings).size).toBe(1);
    const other = new ChainReader(PAYLOADS);
    const each = elementsOf(steady(3).map((row) => [row])).map((bytes) => other.read(bytes));
    expect(new Set(each).size).toBe(3);
  });

  test("reads what one reads that makes all objects anew", () => {
    const check = (batches: readonly (readonly Trade[])[]) => {
      const reader = new ChainReader(PAYLOADS, { reusesSingles: true });
      const plain = new ChainReader(PAYLOADS);
      for (const element of elementsOf(batches)) {
        expect(readingOf(reader, element)).toEqual(readingOf(plain, element));
      }
    };
    const alone = fc.array(trade as fc.Arbitrary<Trade>, { minLength: 1, maxLength: 1 });
    const some = fc.array(trade as fc.Arbitrary<Trade>, { minLength: 1, maxLength: 3 });
    const mixed = fc.array(fc.oneof(alone, alone, some), { minLength: 2, maxLength: 12 });
    fc.assert(fc.property(mixed, check), { numRuns: 400 });
  });

  test("refuses damaged batches as the other does, and goes on as it does", () => {
    const elements = elementsOf(steady(12).map((row) => [row]));
    const damage = (which: number, place: number, byte: number, cut: number) => {
      const reader = new ChainReader(PAYLOADS, { reusesSingles: true });
      const plain = new ChainReader(PAYLOADS);
      const at = 2 + (which % (elements.length - 2));
      for (const [index, whole] of elements.entries()) {
        const bytes = Uint8Array.from(whole);
        if (index === at) bytes[place % bytes.length] = byte;
        const seen = index === at && cut < bytes.length ? bytes.subarray(0, cut) : bytes;
        expect(readingOf(reader, seen)).toEqual(readingOf(plain, seen));
      }
    };
    const any = [fc.nat(), fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 60 })] as const;
    fc.assert(fc.property(...any, damage), { numRuns: 1_000 });
  });
});
