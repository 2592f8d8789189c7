import { encodeBatch, readBatch, rowsOf } from "@tickwire/proto/codec";
import { expect, test } from "vitest";
import { CHANNELS } from "#core/instrument.ts";
import { wrapBatch } from "#wire/frame-codec.ts";
import { latestAsState, startKindOf } from "./start-kind.ts";
import type { StartKind } from "./start-kind.ts";

test("states start with a snapshot, replaceable events with the last one, events with nothing", () => {
  const channelsOf = (kind: StartKind) => CHANNELS.filter((each) => startKindOf(each) === kind);
  expect(channelsOf("snapshot").sort()).toEqual(["book", "candles", "status"]);
  expect(channelsOf("none").sort()).toEqual(["liquidations", "trades"]);
  const last = ["funding", "mark-price", "open-interest", "quotes", "ticker"];
  expect(channelsOf("last").sort()).toEqual(last);
});

function statuses(count: number): Uint8Array {
  const rows = Array.from({ length: count }, (_, index) => ({
    venueTimeUs: undefined,
    receivedTimeUs: 1_000 + index,
    channel: "trades" as const,
    state: "live" as const,
    reason: `number ${index}`,
    sinceTimeUs: 7,
  }));
  const header = { epoch: 3, firstSequence: 40, publishedTimeUs: 2_000 };
  return encodeBatch(header, { kind: "statuses", rows });
}

test.each([
  ["one event, its length one byte", 1],
  ["many events, its length three bytes", 900],
])("the last event of a framed batch (%s) is a state at its sequence", (_, count) => {
  const state = latestAsState(wrapBatch(300, statuses(count)));
  const batch = readBatch(state!);
  expect(batch).toMatchObject({
    epoch: 3,
    firstSequence: 40 + count - 1,
    count: 1,
    snapshot: true,
  });
  expect(batch.publishedTimeUs).toBe(2_000);
  expect(rowsOf(batch).rows).toMatchObject([{ reason: `number ${count - 1}` }]);
});

test("a batch whose columns cannot be read has no last event", () => {
  const damaged = statuses(1);
  damaged.fill(0xff, damaged.length - 8);
  expect(latestAsState(wrapBatch(1, damaged))).toBeUndefined();
});
