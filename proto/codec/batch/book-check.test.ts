import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WireError } from "../wire-error.ts";
import { BatchWriter } from "./batch-writer.ts";
import { checkBusEvents } from "./book-check.ts";
import { readBusEvents } from "./bus-batch-events.ts";
import { readBusBatch } from "./bus-batch.ts";
import type { BusBatch } from "./bus-batch.ts";

type Level = readonly [price: number | bigint, size: number | bigint];

function encoded(bids: readonly Level[], asks: readonly Level[], snapshot = true): Uint8Array {
  const columns = (levels: readonly Level[]) => ({
    prices: levels.map(([price]) => price),
    sizes: levels.map(([, size]) => size),
  });
  const times = { venueTimeUs: 5, receivedTimeUs: 6 };
  const scales = { priceScale: 2, sizeScale: 3 };
  const row = { ...times, ...scales, snapshot, bids: columns(bids), asks: columns(asks) };
  const chain = { kind: "books", epoch: 4, sequence: 9 } as const;
  const init = { publishedTimeUs: 7 };
  const rows = { kind: "books", rows: [row] } as const;
  const writer = new BatchWriter(chain);
  const [batch] = snapshot ? BatchWriter.snapshot(chain, rows, init) : writer.write(rows, init);
  if (batch === undefined) throw new Error("there is a batch");
  return batch.bytes.slice(batch.start, batch.end);
}

/** How many steps checking takes, or the code of the error; 3 levels a step. */
function stepsOf(batch: BusBatch): number | string {
  let steps = 1;
  try {
    for (const _ of checkBusEvents(batch, 3)) steps += 1;
    return steps;
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

function isReadable(batch: BusBatch): boolean {
  try {
    readBusEvents(batch);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

const mantissa = fc.oneof(
  fc.integer({ min: 1, max: 1_000_000 }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 62n }),
);
const size = fc.oneof(fc.constant(0), mantissa);
const levels = fc.array(fc.tuple(mantissa, size), { maxLength: 20 });

describe("checking in steps", () => {
  test("takes a step for each range of levels, and reads small books at once", () => {
    const many = (count: number): Level[] => Array.from({ length: count }, (_, at) => [at + 1, 5]);
    expect(stepsOf(readBusBatch(encoded(many(9), many(0))))).toBe(4);
    expect(stepsOf(readBusBatch(encoded(many(10), many(20))))).toBe(11);
    let steps = 0;
    for (const _ of checkBusEvents(readBusBatch(encoded(many(50), many(50))))) steps += 1;
    expect(steps).toBe(0);
  });

  test("takes every book that can be read", () => {
    fc.assert(
      fc.property(levels, levels, fc.boolean(), (bids, asks, snapshot) => {
        if (bids.length + asks.length === 0) return;
        const batch = readBusBatch(encoded(bids, asks, snapshot));
        expect(stepsOf(batch)).toBeTypeOf("number");
      }),
    );
  });

  test("takes no book that cannot be read, whatever was changed in it", () => {
    let refused = 0;
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(levels, levels, fc.array(change, { minLength: 1, maxLength: 3 }), (...given) => {
        const [bids, asks, changes] = given;
        if (bids.length + asks.length === 0) return;
        const bytes = encoded(bids, asks);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        let batch: BusBatch;
        try {
          batch = readBusBatch(bytes);
        } catch {
          return;
        }
        const isRead = isReadable(batch);
        if (!isRead) refused += 1;
        expect(typeof stepsOf(batch) === "number").toBe(isRead);
      }),
      { numRuns: 3_000, seed: 11 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
