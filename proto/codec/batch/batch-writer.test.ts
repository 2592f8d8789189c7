import { expect, test } from "vitest";
import type { BatchRows, BookRow, TradeRow } from "../types.ts";
import { BatchReader } from "./batch-reader.ts";
import { BatchWriter } from "./batch-writer.ts";
import { elementLength, putElement } from "./bus-batch.ts";
import { topicIdOf } from "./topic-id.ts";
import type { BusBatch } from "./bus-batch.ts";

const START_US = 1_767_225_600_000_000;
const INIT = { publishedTimeUs: START_US };

function trade(change: Partial<TradeRow> = {}): TradeRow {
  return {
    venueTimeUs: START_US,
    receivedTimeUs: START_US,
    priceMantissa: 4_200_050,
    priceScale: 2,
    sizeMantissa: 10,
    sizeScale: 3,
    aggressorSide: "buyer",
    tradeId: "17",
    historical: false,
    ...change,
  };
}

function trades(...rows: readonly TradeRow[]): BatchRows {
  return { kind: "trades", rows };
}

function coreLength(batch: BusBatch | undefined): number {
  return (batch?.coreEnd ?? 0) - (batch?.coreStart ?? 0);
}

test("a batch ends where the book is replaced, and behind that", () => {
  const none = { prices: [], sizes: [] };
  const delta: BookRow = { ...trade(), snapshot: false, bids: none, asks: none };
  const writer = new BatchWriter({ kind: "books", epoch: 1 });
  const rows = [delta, delta, { ...delta, snapshot: true }, delta];
  const batches = writer.write({ kind: "books", rows }, { ...INIT, skipped: 5 });
  expect(batches.map(({ count, skipped, baseSequence }) => [count, skipped, baseSequence])).toEqual(
    [
      [2, 5, 0],
      [1, 0, 7],
      [1, 0, 8],
    ],
  );
  expect(writer.sequence).toBe(9);
});

test("only what the base says newly is sent to everybody with it", () => {
  const writer = new BatchWriter({ kind: "trades", epoch: 1 });
  const rebases = [
    trade(),
    trade({ tradeId: "18" }),
    trade({ tradeId: "19", priceMantissa: 42_000_501, priceScale: 3 }),
    trade({ tradeId: "20", venueTimeUs: START_US + 1 }),
    trade({ tradeId: "21", venueTimeUs: START_US + 1_000 }),
    trade({ tradeId: "x" }),
  ].map((row) => writer.write(trades(row), INIT)[0]?.rebase);
  expect(rebases).toEqual([true, false, true, true, false, true]);
});

test("a number that is much finer is a text twice, then the scale is raised", () => {
  const writer = new BatchWriter({ kind: "trades", epoch: 1 });
  writer.write(trades(trade()), INIT);
  const fine = trade({ sizeMantissa: 123_456_789, sizeScale: 9, tradeId: "18" });
  const rebases = [fine, fine, fine, fine].map((row) => writer.write(trades(row), INIT)[0]?.rebase);
  expect(rebases).toEqual([false, false, true, false]);
});

test("every 64th batch says its sequence whole", () => {
  const writer = new BatchWriter({ kind: "trades", epoch: 1 });
  const lengths = Array.from({ length: 200 }, (_, index) =>
    coreLength(writer.write(trades(trade({ tradeId: String(17 + index) })), INIT)[0]),
  );
  const usual = Math.min(...lengths);
  expect(lengths.flatMap((length, index) => (length > usual ? [index + 1] : []))).toEqual([
    64, 128, 192,
  ]);
});

test("a batch of no events says where the topic stands", () => {
  const writer = new BatchWriter({ kind: "trades", epoch: 7, sequence: 40 });
  const batch = writer.writePosition({ ...INIT, skipped: 2 });
  const frame = new Uint8Array(elementLength(batch, 70_000, true));
  putElement(frame, 0, batch, { topicId: 70_000, withBase: true });
  expect(topicIdOf(frame, 2, frame.length)).toBe(70_000);
  const reading = new BatchReader().read(frame, 2);
  expect(reading).toMatchObject({ batch: { epoch: 7, firstSequence: 43, count: 0, skipped: 2 } });
});

test("bytes of a batch are not written to again", () => {
  const writer = new BatchWriter({ kind: "trades", epoch: 1 });
  const batches = Array.from({ length: 500 }, () => writer.write(trades(trade()), INIT)[0]);
  const before = batches.map((batch) => Buffer.from(batch?.bytes ?? []).toString("hex"));
  for (let index = 0; index < 500; index += 1) writer.write(trades(trade()), INIT);
  expect(batches.map((batch) => Buffer.from(batch?.bytes ?? []).toString("hex"))).toEqual(before);
});
