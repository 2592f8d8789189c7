// A field may be added to a channel later, so that writer and reader know a different number of
// them. What the schema of the other end says is put together here by protobufjs.
import { expect, test } from "vitest";
import { tickwire } from "@tickwire/proto/protobufjs";
import { rowsOf } from "../batch-rows.ts";
import type { TickerRow } from "../types.ts";
import { BatchReader } from "./batch-reader.ts";
import { BatchWriter } from "./batch-writer.ts";
import { elementLength, putElement } from "./bus-batch.ts";

const { Batch } = tickwire.v1;
type Changeable = InstanceType<typeof Batch>;

const TIMES = { venueTimeUs: undefined, receivedTimeUs: 1_767_225_600_000_000 };
// More than 63 bits, so that it travels as text.
const WIDE = "123456789012345678901.5";
const FIRST: TickerRow = { ...TIMES, lastPrice: "100.5", volume: WIDE, spread: "100.6" };
const SECOND: TickerRow = { ...TIMES, lastPrice: "100.25", volume: WIDE, spread: "100.7" };

/** The batch of both rows with its base, changed by `change`. */
function batchOf(change: (batch: Changeable) => void): Uint8Array {
  const rows = { kind: "tickers", rows: [FIRST, SECOND] } as const;
  const init = { publishedTimeUs: TIMES.receivedTimeUs };
  const written = new BatchWriter({ kind: "tickers", epoch: 1 }).write(rows, init)[0]!;
  const element = new Uint8Array(elementLength(written, 1, true));
  putElement(element, 0, written, { topicId: 1, withBase: true });
  const batch = Batch.decode(element.subarray(element[1]! < 128 ? 2 : 3));
  change(batch);
  return Batch.encode(batch).finish();
}

function read(bytes: Uint8Array): readonly object[] {
  const reading = new BatchReader().read(bytes);
  if (reading.outcome !== "read") throw new Error(reading.outcome);
  return rowsOf(reading.batch).rows;
}

/** Fields of the channel; the last of them is `spread`. */
const FIELDS = 12;

/** The places of the texts, had the channel `fields` fields instead. */
function moveTexts(batch: Changeable, fields: number): void {
  for (const text of batch.texts) {
    const { index } = text;
    text.index = Math.floor(index! / FIELDS) * fields + (index! % FIELDS);
  }
}

test("what a later schema says besides is passed over, and texts find their places", () => {
  const bytes = batchOf((batch) => {
    batch.base!.values!.push(7);
    batch.base!.scales!.push(0);
    batch.changes = batch.changes!.map((bits) => Number(bits) | (1 << FIELDS));
    moveTexts(batch, FIELDS + 1);
    batch.texts.push({ index: FIELDS, text: "1" });
  });
  expect(read(bytes)).toEqual([FIRST, SECOND]);
});

test("a field that an earlier schema has not is one that the venue does not say", () => {
  const bytes = batchOf((batch) => {
    batch.base!.values!.pop();
    batch.base!.scales!.pop();
    batch.changes = batch.changes!.map((bits) => Number(bits) & ~(1 << (FIELDS - 1)));
    batch.spreads = [];
    moveTexts(batch, FIELDS - 1);
  });
  const { spread: _first, ...first } = FIRST;
  const { spread: _second, ...second } = SECOND;
  expect(read(bytes)).toEqual([first, second]);
});
