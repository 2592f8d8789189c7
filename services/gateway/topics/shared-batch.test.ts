import { BatchReader, BatchWriter } from "@tickwire/proto/codec";
import type { BatchRows, BusBatch } from "@tickwire/proto/codec";
import { beforeEach, describe, expect, test } from "vitest";
import { wrapBatch } from "#wire/frame-codec.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";

const ROW = { venueTimeUs: undefined, receivedTimeUs: 1, channel: "book", sinceTimeUs: 1 };
const ROWS: BatchRows = { kind: "statuses", rows: [{ ...ROW, state: "live", reason: "data" }] };
const LABELS = { venue: "fake", channel: "status" };

let topic: SharedTopic;
let batches: BusBatch[];

beforeEach(() => {
  topic = new SharedTopic(300, LABELS);
  const writer = new BatchWriter({ kind: "statuses", epoch: 1, sequence: 8 });
  batches = [1, 2, 3].flatMap(() => writer.write(ROWS, { publishedTimeUs: 1 }));
});

describe("news", () => {
  test("is the form that goes on from the batch before, and the one with a base on demand", () => {
    const second = SharedBatch.news(topic, batches[1]!);
    expect(second).toMatchObject({ topicId: 300, firstSequence: 10, lastSequence: 10, events: 1 });
    expect(second.bytes).toEqual(wrapBatch(300, batches[1]!, false));
    expect(second.based.bytes).toEqual(wrapBatch(300, batches[1]!, true));
    expect(second.based.based).toBe(second.based);
  });

  test("is given with its base to all where the publisher says so", () => {
    const first = SharedBatch.news(topic, batches[0]!);
    expect(first.bytes).toEqual(wrapBatch(300, batches[0]!, true));
    expect(first.based).toBe(first);
  });

  test("is given with its base to all where the gateway lost what came before", () => {
    const second = SharedBatch.news(topic, batches[1]!);
    second.startChain();
    second.startChain();
    expect(second.bytes).toEqual(wrapBatch(300, batches[1]!, true));
    expect(second.based).toBe(second);
  });

  test("makes the form with a base once for all who want it in a row", () => {
    const [second, third] = [1, 2].map((index) => SharedBatch.news(topic, batches[index]!));
    const based = second!.based;
    expect(second!.based).toBe(based);
    expect(third!.based).not.toBe(based);
    expect(second!.based).not.toBe(based);
    expect(second!.based.bytes).toEqual(based.bytes);
  });

  test("keeps nothing of the message that it was copied from", () => {
    const [, batch] = batches;
    const second = SharedBatch.news(topic, batch!);
    const [chained, based] = [wrapBatch(300, batch!, false), wrapBatch(300, batch!, true)];
    batch!.bytes.fill(0);
    expect([second.bytes, second.based.bytes]).toEqual([chained, based]);
  });

  test("lies with that of other topics until somebody keeps it, and then with its own", () => {
    const other = new SharedTopic(301, LABELS);
    const news = [topic, other, topic].map((one, index) => SharedBatch.news(one, batches[index]!));
    const [chunk] = news.map(({ place }) => place.chunk);
    expect(news.every(({ place }) => place.chunk === chunk)).toBe(true);
    for (const batch of news) batch.keep();
    const [first, second, third] = news.map(({ place }) => place.chunk);
    expect([first === chunk, second === chunk, first === second]).toEqual([false, false, false]);
    expect(third).toBe(first);
    for (const [index, batch] of news.entries()) {
      expect(batch.bytes).toEqual(wrapBatch(batch.topicId, batches[index]!, index === 0));
      expect(batch.based.bytes).toEqual(wrapBatch(batch.topicId, batches[index]!, true));
    }
  });

  test("whose bytes were asked for is kept", () => {
    const second = SharedBatch.news(topic, batches[1]!);
    const { chunk } = second.place;
    expect(second.bytes.buffer).not.toBe(chunk.bytes.buffer);
    expect(second.place.chunk).not.toBe(chunk);
  });

  test("costs what its two parts have", () => {
    const second = SharedBatch.news(topic, batches[1]!);
    const { baseStart, baseEnd } = batches[1]!;
    expect(second.keptBytes).toBe(second.bytes.length + baseEnd - baseStart);
  });
});

test("a state of several batches is all of them at one sequence", () => {
  const chain = { kind: "statuses", epoch: 1, sequence: 9 } as const;
  const [part] = BatchWriter.snapshot(chain, ROWS, { publishedTimeUs: 1 });
  const state = SharedBatch.state(topic, [part!, part!]);
  expect(state).toMatchObject({ events: 2, firstSequence: 9, lastSequence: 9, isState: true });
  const element = wrapBatch(300, part!, true);
  expect(state.bytes).toEqual(Uint8Array.of(...element, ...element));
  expect(state.based).toBe(state);
  // Tag, length and the batch.
  expect(new BatchReader().read(element, 2)).toMatchObject({ outcome: "read" });
});
