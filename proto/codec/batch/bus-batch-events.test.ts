import fc from "fast-check";
import { expect, test } from "vitest";
import type { BatchRows } from "../types.ts";
import { WireError } from "../wire-error.ts";
import { BatchWriter } from "./batch-writer.ts";
import { checkWholeEvents, readBusEvents } from "./bus-batch-events.ts";
import { readBusBatch } from "./bus-batch.ts";
import type { BusBatch } from "./bus-batch.ts";

const TIMES = { venueTimeUs: 5_000, receivedTimeUs: 6_000 };
const SCALES = { priceScale: 2, sizeScale: 3 };

function trades(count: number, idPrefix: string): BatchRows {
  const rows = Array.from({ length: count }, (_, index) => ({
    ...TIMES,
    ...SCALES,
    priceMantissa: 4_200_000 + index,
    sizeMantissa: 1_000 * index + 1,
    aggressorSide: "buyer" as const,
    tradeId: `${idPrefix}${1_000 + index}`,
    historical: false,
  }));
  return { kind: "trades", rows };
}

const BOOK: BatchRows = {
  kind: "books",
  rows: [
    {
      ...TIMES,
      ...SCALES,
      snapshot: false,
      bids: { prices: [10, 9], sizes: [1, 0] },
      asks: { prices: [11, 2n ** 60n], sizes: [4, 5] },
    },
  ],
};
const STATUS: BatchRows = {
  kind: "statuses",
  rows: [{ ...TIMES, channel: "book", sinceTimeUs: 1, state: "live", reason: "data" }],
};

function encoded(rows: BatchRows): Uint8Array[] {
  const writer = new BatchWriter({ kind: rows.kind, epoch: 4, sequence: 9 });
  return [1, 2].flatMap(() => {
    const batches = writer.write(rows, { publishedTimeUs: 7_000 });
    return batches.map(({ bytes, start, end }) => bytes.slice(start, end));
  });
}

/** What is wrong with a batch; undefined if nothing is. */
function faultOf(read: (batch: BusBatch) => unknown, bytes: Uint8Array): string | undefined {
  try {
    read(readBusBatch(bytes));
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const CASES: readonly BatchRows[] = [trades(1, ""), trades(3, "x-"), trades(400, ""), BOOK, STATUS];

const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));

test.each(CASES)("checking finds what reading finds, in $kind that are damaged", (rows) => {
  const messages = encoded(rows);
  for (const bytes of messages) expect(faultOf(checkWholeEvents, bytes)).toBeUndefined();
  fc.assert(
    fc.property(
      fc.constantFrom(...messages),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (bytes, changes) => {
        const mutated = bytes.slice();
        for (const [at, byte] of changes) mutated[at % mutated.length] = byte;
        expect(faultOf(checkWholeEvents, mutated)).toBe(faultOf(readBusEvents, mutated));
      },
    ),
  );
});

test("what is read afterwards is not changed by what is checked", () => {
  const [first] = encoded(trades(3, "x-"));
  const read = readBusEvents(readBusBatch(first!));
  const before = structuredClone(read);
  for (const bytes of encoded(BOOK)) checkWholeEvents(readBusBatch(bytes));
  expect(read).toEqual(before);
});
