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

/** Gives something to these of so many lists, and says which have a turn, in order. */
function turnsOf(fanOut: FanOut, lists: readonly number[]): number[] {
  const topic = new SharedTopic(1, { venue: "fake", channel: "trades" });
  fanOut.deliver(batch(topic, 1, 20, true), Int32Array.from(lists), lists.length);
  const count = fanOut.beginRound();
  const turns = Array.from({ length: count }, (_, place) => {
    const list = fanOut.beginTurn(place);
    fanOut.sent(list);
    return list;
  });
  fanOut.endRound();
  return turns;
}

test.each([2, 40, 255])("of few lists each has its turn in their order: %d", (count) => {
  const fanOut = new FanOut({ fullLists });
  for (let list = 0; list < 4_000; list += 1) fanOut.open(ASIDE);
  const lists = Array.from({ length: count }, (_, index) => 3_999 - index * 9);
  expect(turnsOf(fanOut, lists)).toEqual(lists.toReversed());
});

test("of many lists none is always the last", () => {
  const fanOut = new FanOut({ fullLists });
  const lists = Array.from({ length: 256 }, () => fanOut.open(ASIDE).list);
  const rounds = Array.from({ length: 40 }, () => turnsOf(fanOut, lists));
  for (const turns of rounds) expect(turns.toSorted((one, other) => one - other)).toEqual(lists);
  expect(new Set(rounds.map((turns) => turns.at(-1))).size).toBe(40);
});

test("batches of a round are forgotten with it, those that came meanwhile are not", () => {
  const topic = new SharedTopic(1, { venue: "fake", channel: "trades" });
  const fanOut = new FanOut({ fullLists });
  const [first, second] = [fanOut.open(ASIDE).list, fanOut.open(ASIDE).list];
  const given = Array.from({ length: 9 }, (_, index) => batch(topic, index, 30 + index, true));
  const give = (round: number, list: number) => {
    const next = given[round % 9]!;
    fanOut.deliver(next, Int32Array.of(list), 1);
    return next.bytes;
  };
  let waiting = give(0, second);
  const wrong: number[] = [];
  // More rounds than batches have numbers, in none of which all lists are empty at once.
  for (let round = 1; round < 66_000; round += 1) {
    const count = fanOut.beginRound();
    const list = fanOut.beginTurn(0);
    const next = give(round, list === first ? second : first);
    const isRight = Buffer.compare(fanOut.frameOf(list) ?? new Uint8Array(0), waiting) === 0;
    fanOut.sent(list);
    fanOut.endRound();
    if (!isRight || count !== 1 || fanOut.batches !== 1) wrong.push(round);
    waiting = next;
  }
  expect(wrong).toEqual([]);
});

test("a list that was not emptied in its turn keeps its batches", () => {
  const topic = new SharedTopic(1, { venue: "fake", channel: "trades" });
  const fanOut = new FanOut({ fullLists });
  const { list } = fanOut.open(ASIDE);
  const expected: number[] = [];
  for (let sequence = 1; sequence < 60; sequence += 1) {
    const given = batch(topic, sequence, 40, true);
    fanOut.deliver(given, Int32Array.of(list), 1);
    expected.push(...given.bytes);
    if (fanOut.beginRound() === 1) fanOut.giveTurn(fanOut.beginTurn(0), 0);
    fanOut.endRound();
  }
  expect([...fanOut.frameOf(list)!]).toEqual(expected);
});
