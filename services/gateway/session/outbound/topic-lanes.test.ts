import { BatchWriter } from "@tickwire/proto/codec";
import { beforeEach, describe, expect, test } from "vitest";
import { SharedBatch, SharedTopic } from "../../topics/shared-batch.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { TopicLanes } from "./topic-lanes.ts";
import { FanOut } from "../../topics/fan-out.ts";
import { NO_LANE_LISTENER } from "#test/support/no-lane-listener.ts";

const MESSAGE = Uint8Array.of(0x0a, 0);

let lanes: TopicLanes;
let writer: BatchWriter;

beforeEach(() => {
  lanes = new TopicLanes(NO_LANE_LISTENER, new FanOut({ fullLists: { inc() {} } as never }));
  writer = new BatchWriter({ kind: "statuses", epoch: 1 });
});

function push(): void {
  const row = { venueTimeUs: undefined, receivedTimeUs: 1, sinceTimeUs: 1, channel: "book" };
  const rows = [{ ...row, state: "live", reason: "" }] as const;
  const [batch] = writer.write({ kind: "statuses", rows }, { publishedTimeUs: 1 });
  const topic = new SharedTopic(1, { venue: "fake", channel: "status" });
  lanes.push(SharedBatch.news(topic, batch!));
}

/** How many entries would leave. */
function left(): number {
  let count = 0;
  while (lanes.bytes > 0) {
    const frame = new FrameBuffer();
    const filled = lanes.fill(frame);
    lanes.consume(filled);
    count += filled;
  }
  return count;
}

describe("what waits of a topic that is taken back", () => {
  test("goes but for what is before a message about it", () => {
    push();
    push();
    lanes.pushMessage(1, MESSAGE);
    push();
    push();
    expect(lanes.shed(new Set([1]))).toEqual(new Map([[1, 2]]));
    expect(left()).toBe(3);
  });

  test("goes with the checksums of it, which say nothing without their batches", () => {
    lanes.pushCheck(1, MESSAGE);
    push();
    push();
    lanes.pushCheck(1, MESSAGE);
    push();
    expect(lanes.shed(new Set([1]))).toEqual(new Map([[1, 0]]));
    expect([lanes.bytes, left()]).toEqual([0, 0]);
  });

  test("stands where it stood if there was nothing but a checksum", () => {
    lanes.pushCheck(1, MESSAGE);
    expect(lanes.shed(new Set([1]))).toEqual(new Map());
    expect(lanes.bytes).toBe(0);
  });
});
