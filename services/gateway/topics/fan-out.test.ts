import { Counter, Registry } from "prom-client";
import { expect, test } from "vitest";
import { FanOut } from "./fan-out.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";

const ASIDE = { onListDue: () => {}, onListFull: () => {} };
const fullLists = new Counter({ name: "full", help: "unused", registers: [new Registry()] });

/** A batch whose bytes all differ from those beside them. */
function batch(topic: SharedTopic, sequence: number, length: number, isShared: boolean) {
  const extent = {
    events: 1,
    skipped: 0,
    firstSequence: sequence,
    lastSequence: sequence,
    isState: false,
    endsChain: false,
    receivedAtUs: 0,
  };
  const bytes = Uint8Array.from({ length }, (_, at) => sequence * 17 + at);
  // One that has a base lies in a chunk of its topic.
  const base = isShared ? Uint8Array.of(1, 2, 3) : undefined;
  return SharedBatch.of(topic, extent, { bytes, base });
}

test("a frame is the batches of its list one after the other, whatever their lengths", () => {
  const topics = [1, 2, 3].map((id) => new SharedTopic(id, { venue: "fake", channel: "trades" }));
  const lengths = [1, 2, 3, 4, 5, 7, 8, 30, 31, 63, 64, 65, 508, 509, 511, 512, 513, 700, 2_100];
  const fanOut = new FanOut({ fullLists });
  const [all, some] = [fanOut.open(ASIDE), fanOut.open(ASIDE)];
  const expected = { all: [] as number[], some: [] as number[] };
  for (const [index, length] of [...lengths, ...lengths].entries()) {
    const given = batch(topics[index % 3]!, index, length, index % 5 !== 0);
    const isForBoth = index % 2 === 0;
    const lists = isForBoth ? [all.list, some.list] : [all.list];
    fanOut.deliver(given, Int32Array.from(lists), lists.length);
    expected.all.push(...given.bytes);
    if (isForBoth) expected.some.push(...given.bytes);
  }
  expect([...fanOut.frameOf(all.list)!]).toEqual(expected.all);
  expect([...fanOut.frameOf(some.list)!]).toEqual(expected.some);
  expect([...fanOut.frameOf(all.list)!]).toEqual(expected.all);
});

test("a frame has at most 16 KiB, and a larger one is left to the owner of its list", () => {
  const topic = new SharedTopic(1, { venue: "fake", channel: "trades" });
  for (const [last, isMade] of [
    [383, true],
    [384, true],
    [385, false],
  ] as const) {
    const fanOut = new FanOut({ fullLists });
    const { list } = fanOut.open(ASIDE);
    for (let index = 0; index < 32; index += 1) {
      fanOut.deliver(batch(topic, index, 500, true), Int32Array.of(list), 1);
    }
    fanOut.deliver(batch(topic, 32, last, true), Int32Array.of(list), 1);
    expect(fanOut.frameOf(list)?.byteLength).toBe(isMade ? 16_000 + last : undefined);
  }
});
