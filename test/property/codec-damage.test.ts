import { tickwire } from "@tickwire/proto/protobufjs";
import {
  BATCH_EVENTS_MAX,
  DECIMAL_TEXT_LENGTH_MAX,
  EMPTY_BATCH_EVENTS_MAX,
  SCALE_MAX,
  WireError,
  encodeBatch,
  readBatch,
  readBatchHeader,
  rowsOf,
  walkServerFrame,
} from "@tickwire/proto/codec";
import type { BatchRows, BookRow, QuoteRow, StatusRow, TradeRow } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bookRows, headers, quoteRows, tradeRows } from "./codec-arbitraries.ts";

const HEADER = { epoch: 1, firstSequence: 1, publishedTimeUs: 1 };

const batches: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    tradeRows.map((rows): BatchRows => ({ kind: "trades", rows })),
    quoteRows.map((rows): BatchRows => ({ kind: "quotes", rows })),
    bookRows.map((rows): BatchRows => ({ kind: "books", rows })),
  )
  .chain((rows) => headers.map((header) => encodeBatch(header, rows)));

/** The error of a call, or undefined; anything but a WireError fails the test. */
function wireError(call: () => unknown): WireError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

/** True if the call returns or throws a WireError; what else it throws fails the test. */
function endsWell(call: () => unknown): boolean {
  wireError(call);
  return true;
}

describe("damaged bytes", () => {
  test("end in a WireError or a batch, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const visitor = { message: (): void => {}, batch: (): void => {} };
        expect(endsWell(() => rowsOf(readBatch(bytes)))).toBe(true);
        expect(endsWell(() => readBatchHeader(bytes))).toBe(true);
        expect(endsWell(() => walkServerFrame(bytes, visitor))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test("a batch with bytes changed", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(batches, changes, (batch, damage) => {
        const bytes = batch.slice();
        for (const [position, value] of damage) bytes[position % bytes.length] = value;
        expect(endsWell(() => rowsOf(readBatch(bytes)))).toBe(true);
        expect(endsWell(() => readBatchHeader(bytes))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test("a batch cut off anywhere is an error or a shorter batch", () => {
    fc.assert(
      fc.property(batches, (batch) => {
        for (let length = 0; length < batch.length; length += 1) {
          expect(endsWell(() => readBatch(batch, 0, length))).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("a range outside of the bytes is an error", () => {
    const bytes = encodeBatch(HEADER, { kind: "trades", rows: [] });
    expect(wireError(() => readBatch(bytes, 0, bytes.length + 1))?.code).toBe("truncated");
    expect(wireError(() => readBatch(bytes, 5, 4))?.code).toBe("truncated");
  });
});

const time = { venueTimeUs: undefined, receivedTimeUs: 1_700_000_000_000_000 };

const trade: TradeRow = {
  ...time,
  priceMantissa: 5,
  priceScale: 0,
  sizeMantissa: 1,
  sizeScale: 0,
  aggressorSide: "none",
  tradeId: "",
  historical: false,
};

const emptyQuote: QuoteRow = {
  receivedTimeUs: 0,
  venueTimeUs: 0,
  priceScale: 0,
  sizeScale: 0,
  bidPriceMantissa: 0,
  bidSizeMantissa: 0,
  askPriceMantissa: 0,
  askSizeMantissa: 0,
};

const encode = (batch: tickwire.v1.Batch.$Properties): Uint8Array =>
  tickwire.v1.Batch.encode(batch).finish();

describe("what a batch may claim", () => {
  test.each([
    { count: EMPTY_BATCH_EVENTS_MAX - 1, code: undefined },
    { count: EMPTY_BATCH_EVENTS_MAX, code: undefined },
    { count: EMPTY_BATCH_EVENTS_MAX + 1, code: "malformed" },
    { count: 4_294_967_295, code: "malformed" },
  ])("$count events in a few bytes: $code", ({ count, code }) => {
    expect(wireError(() => readBatch(encode({ count, quotes: {} })))?.code).toBe(code);
  });

  test.each([BATCH_EVENTS_MAX - 1, BATCH_EVENTS_MAX])(
    "%i events that are all alike still make a batch that can be read",
    (count) => {
      const rows = Array.from({ length: count }, () => emptyQuote);
      expect(readBatch(encodeBatch(HEADER, { kind: "quotes", rows })).count).toBe(count);
    },
  );

  test("more events are refused on both sides", () => {
    const rows = Array.from({ length: BATCH_EVENTS_MAX + 1 }, () => emptyQuote);
    const call = (): unknown => encodeBatch(HEADER, { kind: "quotes", rows });
    expect(wireError(call)?.code).toBe("malformed");
    const receivedTimeDeltasUs = rows.map(() => 1);
    const bytes = encode({ count: rows.length, receivedTimeDeltasUs, quotes: {} });
    expect(wireError(() => readBatch(bytes))?.code).toBe("malformed");
  });

  test("levels without prices are refused, however many are claimed", () => {
    const bytes = encode({ count: 1, books: { bidCounts: [4_000_000_000], askCounts: [1] } });
    expect(wireError(() => readBatch(bytes))?.code).toBe("malformed");
  });

  test("a column of zeros in a book is written out, so that its levels are there", () => {
    const level = { prices: [0, 0], sizes: [0, 0] };
    const row: BookRow = {
      ...time,
      snapshot: true,
      priceScale: 0,
      sizeScale: 0,
      bids: level,
      asks: level,
    };
    const batch = readBatch(encodeBatch(HEADER, { kind: "books", rows: [row] }));
    expect(rowsOf(batch).rows).toEqual([row]);
  });

  test.each([
    ["one entry too few", [2]],
    ["one entry too many", [2, 2, 2]],
  ])("a column with %s is refused", (_, priceDeltas) => {
    const bytes = encode({ count: 2, trades: { priceDeltas } });
    expect(wireError(() => readBatch(bytes))).toBeDefined();
  });

  test("rows that are not as many as the batch says are refused", () => {
    const bytes = encode({ count: 2, statuses: { statuses: [{ reason: "x" }] } });
    expect(wireError(() => readBatch(bytes))?.code).toBe("malformed");
  });

  test.each([
    { scale: SCALE_MAX, code: undefined },
    { scale: SCALE_MAX + 1, code: "malformed" },
  ])("scale $scale: $code", ({ scale, code }) => {
    const bytes = encode({ count: 1, trades: { priceScale: scale } });
    expect(wireError(() => readBatch(bytes))?.code).toBe(code);
    expect(wireError(() => readBatchHeader(bytes))?.code).toBe(code);
    const rows = [{ ...trade, priceScale: scale }];
    expect(wireError(() => encodeBatch(HEADER, { kind: "trades", rows }))?.code).toBe(code);
  });

  test.each([
    { length: DECIMAL_TEXT_LENGTH_MAX - 2, code: undefined },
    { length: DECIMAL_TEXT_LENGTH_MAX + 1, code: "malformed" },
  ])("a decimal of $length characters: $code", ({ length, code }) => {
    const text = "9".repeat(length);
    const bytes = encode({ count: 1, trades: { priceTexts: [{ index: 0, text }] } });
    expect(wireError(() => readBatch(bytes))?.code).toBe(code);
  });

  test.each(["", "1e5", "0x1", "1.", ".5", "NaN", " 1", "--1"])("text %j is refused", (text) => {
    const bytes = encode({ count: 1, trades: { sizeTexts: [{ index: 0, text }] } });
    expect(wireError(() => readBatch(bytes))?.code).toBe("malformed");
  });

  test("a text for an event that is not there is refused", () => {
    const bytes = encode({ count: 1, trades: { sizeTexts: [{ index: 1, text: "1" }] } });
    expect(wireError(() => readBatch(bytes))?.code).toBe("malformed");
  });

  test("a batch without a payload of a known kind is told from a damaged one", () => {
    expect(wireError(() => readBatch(encode({ count: 0 })))?.code).toBe("unknown-payload");
    expect(wireError(() => readBatchHeader(encode({ count: 2 })))?.code).toBe("unknown-payload");
  });
});

describe("integers beyond 2^53", () => {
  const unsafe = 2 ** 53;

  test.each([
    ["epoch", { ...HEADER, epoch: unsafe }],
    ["firstSequence", { ...HEADER, firstSequence: unsafe }],
    ["previousSequence", { ...HEADER, previousSequence: unsafe }],
    ["publishedTimeUs", { ...HEADER, publishedTimeUs: unsafe }],
    ["a negative sequence", { ...HEADER, firstSequence: -1 }],
    ["a fraction", { ...HEADER, firstSequence: 1.5 }],
    ["no number", { ...HEADER, epoch: NaN }],
  ])("are refused in a header: %s", (_, header) => {
    const call = (): unknown => encodeBatch(header, { kind: "trades", rows: [] });
    expect(wireError(call)?.code).toBe("unsafe-integer");
  });

  test.each([
    ["receivedTimeUs", { receivedTimeUs: unsafe }],
    ["venueTimeUs", { venueTimeUs: unsafe }],
    ["a mantissa that is a number", { priceMantissa: unsafe }],
    ["a fraction", { sizeMantissa: 0.5 }],
    ["no number", { sizeMantissa: NaN }],
    ["a time that is a fraction", { receivedTimeUs: 0.5 }],
  ])("are refused in a row: %s", (_, change) => {
    const call = (): unknown =>
      encodeBatch(HEADER, { kind: "trades", rows: [trade, { ...trade, ...change }] });
    expect(wireError(call)?.code).toBe("unsafe-integer");
  });

  test.each([
    ["in an epoch", { epoch: unsafe, trades: {} }],
    ["in a time", { count: 1, receivedTimeUs: unsafe, trades: {} }],
    [
      "in a sum of times",
      { count: 1, receivedTimeUs: unsafe - 1, receivedTimeDeltasUs: [1], trades: {} },
    ],
    [
      "in a venue time",
      { count: 1, receivedTimeUs: unsafe - 1, venueTimeOffsetsUs: [1], trades: {} },
    ],
  ])("are refused by the reader %s", (_, batch) => {
    expect(wireError(() => readBatch(encode(batch)))?.code).toBe("unsafe-integer");
  });

  test("a batch can be written after one was refused", () => {
    wireError(() =>
      encodeBatch(HEADER, { kind: "trades", rows: [trade, { ...trade, priceMantissa: NaN }] }),
    );
    const batch = readBatch(encodeBatch(HEADER, { kind: "trades", rows: [trade] }));
    expect(rowsOf(batch).rows).toEqual([trade]);
  });
});

describe("what any protobuf encoder may do", () => {
  const status: StatusRow = {
    ...time,
    channel: "mark-price",
    state: "live",
    reason: "snapshot",
    sinceTimeUs: 3,
  };

  test("fields in reverse order are read alike", () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const fields = topLevelFields(batch);
        const reversed = Uint8Array.from(fields.toReversed().flatMap((field) => [...field]));
        expect(readBatch(reversed)).toEqual(readBatch(batch));
      }),
    );
  });

  test("unknown fields of every wire type are skipped", () => {
    const bytes = encodeBatch(HEADER, { kind: "statuses", rows: [status] });
    // Field 127 as a varint, 64 bits, bytes, groups in groups, and 32 bits.
    const unknown = Buffer.from(
      "f83fff01 f93f0102030405060708 fa3f020909 fb3f0801fb3ffc3ffc3f fd3f01020304".replaceAll(
        " ",
        "",
      ),
      "hex",
    );
    const padded = Uint8Array.of(...unknown, ...bytes, ...unknown);
    expect(readBatch(padded)).toEqual(readBatch(bytes));
  });

  test("a field of another wire type than the schema's is skipped", () => {
    const bytes = encodeBatch(HEADER, { kind: "statuses", rows: [status] });
    // 4 (count) as 32 bits, 7 as bytes.
    const padded = Uint8Array.of(...bytes, 0x25, 1, 2, 3, 4, 0x3a, 1, 0);
    expect(readBatch(padded)).toEqual(readBatch(bytes));
  });

  test("columns unpacked, in pieces, and in a payload in pieces are columns", () => {
    const pieceOne = [0x18, 2, 0x1a, 1, 4, 0x20, 7]; // prices unpacked, then packed; one size
    const pieceTwo = [0x1a, 1, 6, 0x22, 2, 8, 9]; // the rest, packed
    const payload = [pieceOne, pieceTwo].flatMap((piece) => [0x82, 0x01, piece.length, ...piece]);
    const bytes = Uint8Array.of(0x20, 3, ...payload);
    const batch = readBatch(bytes);
    expect(batch.kind === "trades" && batch.columns.prices).toEqual([1, 3, 6]);
    expect(batch.kind === "trades" && batch.columns.sizes).toEqual([7, 8, 9]);
  });

  test("of two payloads the last counts", () => {
    const bytes = Uint8Array.of(0x20, 1, 0x82, 0x01, 2, 0x18, 9, 0x8a, 0x01, 0);
    expect(readBatch(bytes).kind).toBe("quotes");
  });

  test("of a scalar given twice the last counts", () => {
    const bytes = encodeBatch(HEADER, { kind: "trades", rows: [] });
    expect(readBatch(Uint8Array.of(0x18, 99, ...bytes)).firstSequence).toBe(1);
    expect(readBatch(Uint8Array.of(...bytes, 0x18, 99)).firstSequence).toBe(99);
  });

  test("varints longer than they need to be are read", () => {
    const bytes = Uint8Array.of(0x20, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x8a, 0x01, 0);
    expect(readBatch(bytes).count).toBe(1);
  });
});

/** The fields of a message, each with its tag. Knows varints and length-delimited fields. */
function topLevelFields(bytes: Uint8Array): Uint8Array[] {
  const fields: Uint8Array[] = [];
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[position] ?? 0;
      position += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (position < bytes.length) {
    const start = position;
    const wireType = varint() % 8;
    const value = varint();
    if (wireType === 2) position += value;
    fields.push(bytes.subarray(start, position));
  }
  return fields;
}
