// Whatever the bytes are, reading them ends in a WireError, a loss or a batch, soon, and a chain is
// forgotten that may be wrong.
import { WireError, rowsOf } from "@tickwire/proto/codec";
import type { BatchRows } from "@tickwire/proto/codec";
import { BatchReader, BatchWriter, readBusBatch, topicIdOf } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainTrades, topicHistories } from "#test/support/wire-arbitraries.ts";
import { batchInFrame } from "#test/support/wire-client.ts";

const INIT = { publishedTimeUs: 1_767_225_600_000_000 };

function written(history: readonly BatchRows[]): BusBatch[] {
  const writer = new BatchWriter({ kind: history[0]?.kind ?? "trades", epoch: 9 });
  return history.flatMap((rows) => writer.write(rows, INIT));
}

/** What a call ends in; anything but a WireError fails the test. */
function ending(call: () => unknown): string {
  try {
    call();
    return "value";
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

const ENDINGS = ["value", "malformed", "truncated", "unsafe-integer"];

function readAll(reader: BatchReader, bytes: Uint8Array): string {
  return ending(() => {
    const reading = reader.read(bytes);
    if (reading.outcome === "read") rowsOf(reading.batch);
  });
}

describe("damaged bytes", () => {
  test("end well whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(ENDINGS).toContain(readAll(new BatchReader(), bytes));
        expect(ENDINGS).toContain(ending(() => readBusBatch(bytes)));
        expect(ENDINGS).toContain(ending(() => topicIdOf(bytes, 0, bytes.length)));
      }),
      { numRuns: 2_000 },
    );
  });

  test("end well where some bytes of a batch are others", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(topicHistories, changes, (history, damage) => {
        const reader = new BatchReader();
        for (const batch of written(history)) {
          const bytes = batchInFrame(batch, !reader.isChained || batch.rebase).slice();
          for (const [position, value] of damage) bytes[position % bytes.length] = value;
          const end = readAll(reader, bytes);
          expect(ENDINGS).toContain(end);
          // A chain that a damaged batch may have spoilt is never gone on with.
          expect(end !== "value" && reader.isChained).toBe(false);
          const message = batch.bytes.slice();
          for (const [position, value] of damage) message[position % message.length] = value;
          expect(ENDINGS).toContain(ending(() => readBusBatch(message)));
        }
      }),
      { numRuns: 400 },
    );
  });

  test("end well where a batch is cut off", () => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        const [first] = written(history.slice(0, 1)) as [BusBatch];
        const bytes = batchInFrame(first, true);
        for (let length = 0; length < bytes.length; length += 1) {
          expect(ENDINGS).toContain(readAll(new BatchReader(), bytes.subarray(0, length)));
          const message = first.bytes.subarray(0, length);
          expect(ENDINGS).toContain(ending(() => readBusBatch(message)));
        }
      }),
      { numRuns: 20 },
    );
  });

  test("a range outside of the bytes is an error", () => {
    const [batch] = written([plainTrades(0, 1)]) as [BusBatch];
    const bytes = batchInFrame(batch, true);
    const reader = new BatchReader();
    expect(ending(() => reader.read(bytes, 0, bytes.length + 1))).toBe("truncated");
    expect(ending(() => reader.read(bytes, 5, 4))).toBe("truncated");
  });

  test("a batch asks for no more memory than it has bytes", () => {
    // Of a book topic: 2 events, and level_counts that claim 2^32 - 1 levels each.
    const base = [0x3a, 6, 0x08, 3, 0x10, 1, 0x20, 1];
    const counts = [0x2a, 10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f];
    const bytes = Uint8Array.of(...base, 0x12, 4, 2, 0, 0, 0, ...counts);
    expect(readAll(new BatchReader(), bytes)).toBe("malformed");
    // One event more than a batch may have.
    const times = new Uint8Array(2 + 65_537);
    times[0] = 65_537 % 127;
    const head = [...base, 0x12, 0x83, 0x80, 0x04];
    const large = new Uint8Array(head.length + times.length);
    large.set(head);
    large.set(times, head.length);
    expect(readAll(new BatchReader(), large)).toBe("malformed");
  });
});

describe("a bus message", () => {
  const [batch] = written([plainTrades(0, 3)]) as [BusBatch];

  /** The message with its core changed. */
  function withCore(change: (core: number[]) => readonly number[]): Uint8Array {
    const core = [...batch.bytes.subarray(batch.coreStart, batch.coreEnd)];
    const changed = change(core);
    const before = [...batch.bytes.subarray(0, batch.coreStart - 1)];
    const after = [...batch.bytes.subarray(batch.coreEnd)];
    return Uint8Array.from([...before, changed.length, ...changed, ...after]);
  }

  test("is read where it is whole", () => {
    expect(readBusBatch(withCore((core) => core))).toMatchObject({ count: 3, baseSequence: 0 });
  });

  test.each([
    ["has a topic id", (core: number[]) => [0x08, 5, ...core]],
    ["has a base in the batch", (core: number[]) => [...core, 0x3a, 2, 0x08, 1]],
    ["has a batch in pieces", (core: number[]) => [...core, 0x12, 1, 0]],
    ["has another residue", (core: number[]) => core.with(2, 9)],
    ["has another sequence", (core: number[]) => [...core, 0x88, 0x01, 7]],
    [
      "has other times than its count",
      (core: number[]) => [0x12, 4, 3, 0, 0, 1, ...core.slice(core.indexOf(0x1a))],
    ],
    ["has no times", (core: number[]) => core.slice(core.indexOf(0x1a))],
  ])("is refused where it %s", (_, change) => {
    expect(ending(() => readBusBatch(withCore(change)))).toBe("malformed");
  });

  test("is refused without its base, or with two", () => {
    const { bytes, baseStart, baseEnd } = batch;
    const base = bytes.slice(baseStart, baseEnd);
    const rest = [...bytes.subarray(0, baseStart), ...bytes.subarray(baseEnd)];
    expect(ending(() => readBusBatch(Uint8Array.from(rest)))).toBe("malformed");
    expect(ending(() => readBusBatch(Uint8Array.from([...bytes, ...base])))).toBe("malformed");
  });
});

describe("a writer", () => {
  const trade = { ...(plainTrades(0, 1).rows[0] as object) };

  test.each([
    ["a price that is no integer", { priceMantissa: 0.5 }, "unsafe-integer"],
    ["a size beyond 2^53 as a number", { sizeMantissa: 2 ** 53 }, "unsafe-integer"],
    ["a time that is no integer", { receivedTimeUs: 1.5 }, "unsafe-integer"],
    ["a scale that is none", { priceScale: -1 }, "malformed"],
    ["a scale beyond the limit", { sizeScale: 1_001 }, "malformed"],
  ])("refuses %s, and goes on as if it had not been given", (_, change, code) => {
    const writer = new BatchWriter({ kind: "trades", epoch: 9 });
    const reader = new BatchReader();
    const [first] = writer.write(plainTrades(0, 2), INIT) as [BusBatch];
    const bad = { kind: "trades", rows: [{ ...trade, ...change }] } as unknown as BatchRows;
    expect(ending(() => writer.write(bad, INIT))).toBe(code);
    const [second] = writer.write(plainTrades(2, 2), INIT) as [BusBatch];
    expect(readAll(reader, batchInFrame(first, true))).toBe("value");
    expect(reader.read(batchInFrame(second, false))).toMatchObject({
      outcome: "read",
      batch: { firstSequence: 3, count: 2 },
    });
  });

  test("refuses a text that is no decimal, and sequences beyond 2^53", () => {
    const row = { ...trade, markPrice: "1,5", indexPrice: undefined };
    const bad = { kind: "markPrices", rows: [row] } as unknown as BatchRows;
    const marks = new BatchWriter({ kind: "markPrices", epoch: 9 });
    expect(ending(() => marks.write(bad, INIT))).toBe("malformed");
    const last = { kind: "trades", epoch: 9, sequence: Number.MAX_SAFE_INTEGER } as const;
    expect(ending(() => new BatchWriter(last).write(plainTrades(0, 1), INIT))).toBe(
      "unsafe-integer",
    );
  });

  test("refuses rows of another channel", () => {
    const quotes = new BatchWriter({ kind: "quotes", epoch: 9 });
    expect(() => quotes.write(plainTrades(0, 1), INIT)).toThrow(RangeError);
  });
});
