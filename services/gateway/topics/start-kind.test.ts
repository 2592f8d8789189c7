import { BatchWriter, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { expect, test } from "vitest";
import { CHANNELS } from "#core/instrument.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";
import { latestAsState, startKindOf } from "./start-kind.ts";
import type { StartKind } from "./start-kind.ts";

test("states start with a snapshot, replaceable events with the last one, events with nothing", () => {
  const channelsOf = (kind: StartKind) => CHANNELS.filter((each) => startKindOf(each) === kind);
  expect(channelsOf("snapshot").sort()).toEqual(["book", "candles", "listings", "status"]);
  expect(channelsOf("none").sort()).toEqual(["liquidations", "trades"]);
  const last = ["funding", "mark-price", "open-interest", "quotes", "ticker"];
  expect(channelsOf("last").sort()).toEqual(last);
});

function statuses(count: number): BusBatch {
  const rows = Array.from({ length: count }, (_, index) => ({
    venueTimeUs: undefined,
    receivedTimeUs: 1_000 + index,
    channel: "trades" as const,
    state: "live" as const,
    reason: `number ${index}`,
    sinceTimeUs: 7,
  }));
  const writer = new BatchWriter({ kind: "statuses", epoch: 3, sequence: 39 });
  return writer.write({ kind: "statuses", rows }, { publishedTimeUs: 2_000 })[0]!;
}

const TOPIC = new SharedTopic(300, { venue: "fake", channel: "status" });

test.each([1, 900])(
  "the last event of %i that came together is a state at its sequence",
  (count) => {
    const state = latestAsState(SharedBatch.news(TOPIC, statuses(count)), 4);
    expect(state).toHaveLength(1);
    expect(state![0]).toMatchObject({
      // The topic may have gone on in another epoch since.
      epoch: 4,
      baseSequence: 39 + count,
      count: 1,
      snapshot: true,
    });
    expect(state![0].publishedTimeUs).toBe(2_000);
    expect(rowsOf(readBusEvents(state![0])).rows).toMatchObject([
      { reason: `number ${count - 1}` },
    ]);
  },
);

test("a batch whose columns cannot be read has no last event", () => {
  const whole = statuses(1);
  const bytes = whole.bytes.slice();
  bytes.fill(0xff, whole.coreEnd - 8, whole.coreEnd);
  expect(latestAsState(SharedBatch.news(TOPIC, { ...whole, bytes }), 3)).toBeUndefined();
});
