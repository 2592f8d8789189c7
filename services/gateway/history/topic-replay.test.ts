import { BatchWriter } from "@tickwire/proto/codec";
import type { BookRow } from "@tickwire/proto/codec";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { idleLine } from "#test/support/idle-line.ts";
import { ListedLog } from "#test/support/listed-log.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { EventLog } from "./event-log.ts";
import { TopicReplay } from "./topic-replay.ts";

const NAME = { venue: "fake", symbol: "A-USD", channel: "book" } as const;
const SUBJECT = "md.v2.fake.book.A-USD";
const SILENT = { info() {}, warn() {}, error() {}, debug() {} };
const SECOND_US = 1_000_000;

/** A change of a book, or a whole one. */
function rowOf(snapshot: boolean): BookRow {
  const side = { prices: [100], sizes: [1] };
  const scales = { priceScale: 0, sizeScale: 0 };
  const asks = { prices: [101], sizes: [1] };
  return { venueTimeUs: undefined, receivedTimeUs: 5, snapshot, ...scales, bids: side, asks };
}

/** A book with one event each second: `w` a whole one, `c` a change, `-` one that the log lost. */
function rig(events: string) {
  const listed = new ListedLog();
  const writer = new BatchWriter({ kind: "books", epoch: 7 });
  for (const [index, event] of events.split("").entries()) {
    const publishedTimeUs = (index + 1) * SECOND_US;
    const rows = { kind: "books", rows: [rowOf(event === "w")] } as const;
    for (const { bytes } of writer.write(rows, { publishedTimeUs })) {
      if (event !== "-") listed.put(SUBJECT, bytes, publishedTimeUs);
    }
  }
  const metrics = createGatewayMetrics(new Registry());
  const log = new EventLog({ log: listed, clock: new ManualClock(), logger: SILENT, metrics });
  return { log, name: NAME, line: idleLine() };
}

async function sequencesOf(replay: TopicReplay): Promise<number[]> {
  const sequences: number[] = [];
  while ((await replay.nextTimeUs()) !== undefined) {
    sequences.push(replay.take().batch.baseSequence + 1);
  }
  return sequences;
}

test.each([
  ["wcccc", 4, [1, 2, 3, 4, 5]],
  ["wccwc", 5, [4, 5]],
  ["wccwc", 3, [1, 2, 3, 4, 5]],
  // Nothing whole is before it: the first whole one behind it is where a book can begin.
  ["ccccwc", 3, [5, 6]],
  ["cccc", 2, []],
])("of the book %s from %i s begins with a whole one", async (events, from, sequences) => {
  const range = { fromTimeUs: from * SECOND_US, toTimeUs: 0 };
  expect(await sequencesOf(await TopicReplay.ofTime(rig(events), range))).toEqual(sequences);
});

test("a book goes on behind a hole with the next whole one", async () => {
  const range = { fromTimeUs: 0, toTimeUs: 0 };
  const replay = await TopicReplay.ofTime(rig("wc-ccwc"), range);
  const told: unknown[] = [];
  while ((await replay.nextTimeUs()) !== undefined) {
    const { batch, break: begins } = replay.take();
    told.push([batch.baseSequence + 1, begins?.missing]);
  }
  expect(told).toEqual([
    [1, undefined],
    [2, undefined],
    [6, { first: 3, last: 5 }],
    [7, undefined],
  ]);
});

test("who has a book at a position gets the changes behind it", async () => {
  const range = { fromTimeUs: 0, toTimeUs: 0 };
  const position = { epoch: 7, sequence: 2 };
  const replay = await TopicReplay.ofPosition(rig("wcccc"), position, range);
  expect(replay && (await sequencesOf(replay))).toEqual([3, 4, 5]);
});
