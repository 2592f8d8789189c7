import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchWriter, readBusBatch } from "@tickwire/proto/codec";
import type { BatchRows } from "@tickwire/proto/codec";
import { ByteBudget } from "#core/byte-budget.ts";
import { packedBytesMax } from "#core/packed-batches.ts";
import { plainTrades, topicHistories } from "#test/support/wire-arbitraries.ts";
import { BatchHistory } from "./batch-history.ts";

/** As it was published: the second half is what lies behind its core. */
function published(bytes: Uint8Array) {
  return { bytes, start: 0, end: bytes.length, coreStart: bytes.length >> 1 };
}

function create(limits: { bytesMax?: number; ageMs?: number; totalBytesMax?: number } = {}) {
  const { bytesMax = 4_096, ageMs = 1_000, totalBytesMax = 1_000_000 } = limits;
  const budget = new ByteBudget({ bytesMax: totalBytesMax });
  const history = new BatchHistory({ historyBytesMax: bytesMax, historyAgeMs: ageMs }, budget);
  let lastSequence = 0;
  const append = (bytes: number, options: { count?: number; nowMs?: number } = {}) => {
    const { count = 1, nowMs = 0 } = options;
    lastSequence += count;
    const content = Uint8Array.from({ length: bytes }, (_, at) => lastSequence + at);
    history.append(published(content), { count, lastSequence, nowMs });
  };
  return { history, budget, append };
}

const firsts = (batches: readonly Uint8Array[] | undefined) => batches?.map(([first]) => first);

test("what follows a position is every batch behind it, and nothing before it", () => {
  const { history, append } = create();
  for (let index = 0; index < 3; index += 1) append(10);
  expect(firsts(history.after(0, 1_000))).toEqual([1, 2, 3]);
  expect(firsts(history.after(2, 1_000))).toEqual([3]);
  expect(history.after(3, 1_000)).toEqual([]);
});

test("a position that was never reached, or lies within a batch, has nothing behind it", () => {
  const { history, append } = create();
  append(10, { count: 4 });
  expect(history.after(5, 1_000)).toBeUndefined();
  expect(history.after(2, 1_000)).toBeUndefined();
  expect(firsts(history.after(0, 1_000))).toEqual([4]);
});

test("an answer ends before it is too long, and has one batch in any case", () => {
  const { history, append } = create();
  for (let index = 0; index < 3; index += 1) append(10);
  expect(firsts(history.after(0, 19))).toEqual([1]);
  expect(firsts(history.after(0, 20))).toEqual([1, 2]);
  expect(firsts(history.after(0, 1))).toEqual([1]);
});

/** Takes so much of a page. */
const LARGE = 1_000;
const LARGE_MAX = packedBytesMax({ firstLength: LARGE / 2, secondLength: LARGE / 2 });

test("young batches make the memory grow up to its limit, and then the oldest make room", () => {
  const { history, append } = create({ bytesMax: 4 * LARGE_MAX });
  for (let index = 0; index < 4; index += 1) append(LARGE);
  expect(history.capacityBytes).toBe(4 * LARGE_MAX);
  expect(history.keptAfter).toBe(0);
  append(LARGE);
  expect(history.capacityBytes).toBe(4 * LARGE_MAX);
  expect(history.keptAfter).toBe(1);
  expect(history.after(0, 10_000)).toBeUndefined();
  expect(firsts(history.after(1, 10_000))).toEqual([2, 3, 4, 5]);
});

test("a batch of the greatest age makes room for a new one, a younger one does not", () => {
  for (const [nowMs, batches] of [
    [999, 5],
    [1_000, 4],
  ] as const) {
    const { history, append } = create({ bytesMax: 100_000 });
    for (let index = 0; index < 4; index += 1) append(LARGE);
    append(LARGE, { nowMs });
    expect(history.batches).toBe(batches);
    expect(history.capacityBytes).toBe(batches * LARGE_MAX);
  }
});

test("a batch as large as all that may be held is kept alone, a larger one not at all", () => {
  const { history, append } = create({ bytesMax: LARGE_MAX });
  append(10);
  append(LARGE);
  expect(history.keptAfter).toBe(1);
  append(LARGE + 2);
  expect(history.batches).toBe(0);
  expect(history.keptAfter).toBe(3);
  append(10);
  expect(firsts(history.after(3, 1_000))).toEqual([4]);
});

test("histories share a budget: who comes when it is used up keeps nothing", () => {
  const budget = new ByteBudget({ bytesMax: LARGE_MAX + 100 });
  const limits = { historyBytesMax: 4 * LARGE_MAX, historyAgeMs: 1_000 };
  const [one, other] = [new BatchHistory(limits, budget), new BatchHistory(limits, budget)];
  const batch = published(new Uint8Array(LARGE));
  for (let lastSequence = 1; lastSequence <= 3; lastSequence += 1) {
    one.append(batch, { count: 1, lastSequence, nowMs: 0 });
  }
  expect(one.capacityBytes).toBe(LARGE_MAX);
  expect(one.keptAfter).toBe(2);
  other.append(batch, { count: 1, lastSequence: 1, nowMs: 0 });
  expect(other.batches).toBe(0);
  expect(budget.bytes).toBe(LARGE_MAX);
});

test("a limit of 0 keeps nothing", () => {
  const { history, append } = create({ bytesMax: 0 });
  append(1);
  expect([history.batches, history.capacityBytes, history.keptAfter]).toEqual([0, 0, 1]);
});

type Kept = { readonly bytes: Uint8Array; readonly base: number };

/** What a history that keeps these batches is to answer. */
function followers(
  kept: readonly Kept[],
  asked: { readonly sequence: number; readonly last: number; readonly bytesMax: number },
): Uint8Array[] | undefined {
  const { sequence, last, bytesMax } = asked;
  if (sequence === last) return [];
  const first = kept.findIndex(({ base }) => base === sequence);
  if (first === -1) return undefined;
  let bytes = 0;
  return kept
    .slice(first)
    .map((each) => each.bytes)
    .filter((each, index) => {
      bytes += each.byteLength;
      return index === 0 || bytes <= bytesMax;
    });
}

test("whatever is appended, a list that keeps as many batches has the same answers", () => {
  const batch = fc.record({
    bytes: fc.integer({ min: 0, max: 700 }),
    count: fc.integer({ min: 1, max: 5 }),
    elapsedMs: fc.constantFrom(0, 0, 200, 2_000),
  });
  const asked = fc.record({ sequence: fc.nat(300), bytesMax: fc.nat(2_000) });
  const life = fc.array(batch, { maxLength: 80 });
  fc.assert(
    fc.property(life, fc.array(asked), (appended, questions) => {
      const { history, budget } = create();
      const list: Kept[] = [];
      let last = 0;
      let nowMs = 0;
      for (const [index, { bytes, count, elapsedMs }] of appended.entries()) {
        nowMs += elapsedMs;
        const content = new Uint8Array(bytes).fill(index);
        list.push({ bytes: content, base: last });
        last += count;
        history.append(published(content), { count, lastSequence: last, nowMs });
      }
      const kept = list.slice(list.length - history.batches);
      expect(history.capacityBytes).toBeLessThanOrEqual(4_096);
      expect(history.capacityBytes).toBe(budget.bytes);
      expect(history.keptAfter).toBe(kept[0]?.base ?? last);
      for (const { sequence, bytesMax } of questions) {
        const answer = history.after(sequence, bytesMax);
        const wanted = followers(kept, { sequence, last, bytesMax });
        expect(answer).toEqual(wanted);
      }
    }),
  );
});

test("a history that is released keeps nothing and gives its memory back", () => {
  const { history, budget, append } = create();
  append(10);
  expect(budget.bytes).toBeGreaterThan(0);
  history.release();
  expect([budget.bytes, history.batches, history.after(0, 1_000)]).toEqual([0, 0, undefined]);
  append(10);
  expect(firsts(history.after(1, 1_000))).toEqual([2]);
});

/** A writer's batches go into a history: all messages, and those that are read of it. */
function createChained(limits: { bytesMax?: number } = {}) {
  const { bytesMax = 1_000_000 } = limits;
  const budget = new ByteBudget({ bytesMax: 10_000_000 });
  const history = new BatchHistory({ historyBytesMax: bytesMax, historyAgeMs: 1_000 }, budget);
  let writer = new BatchWriter({ kind: "trades", epoch: 1 });
  const messages: Uint8Array[] = [];
  const append = (rows: BatchRows) => {
    for (const batch of writer.write(rows, { publishedTimeUs: PUBLISHED_US })) {
      const { count, baseSequence, rebase } = batch;
      const lastSequence = baseSequence + count;
      history.append(batch, { count, lastSequence, nowMs: 0, isChained: !rebase });
      messages.push(batch.bytes);
    }
  };
  const begin = (kind: BatchRows["kind"]) => {
    writer = new BatchWriter({ kind, epoch: 1, sequence: writer.sequence });
  };
  return { history, append, begin, messages };
}

const PUBLISHED_US = 1_767_225_600_000_900;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Batches from which on something else is read than what was published. */
function readWrongly({ history, messages }: ReturnType<typeof createChained>): number[] {
  const kept = messages.slice(messages.length - history.batches);
  const texts = kept.map(hex);
  const isWrong = (index: number) => {
    const { baseSequence } = readBusBatch(kept[index] as Uint8Array);
    const all = history.after(baseSequence, Infinity)?.map(hex).join();
    const one = history.after(baseSequence, 1)?.map(hex).join();
    return all !== texts.slice(index).join() || one !== texts[index];
  };
  return [...kept.keys()].filter(isWrong);
}

test("batches of a chain are read from anywhere as they were published, whatever they say", () => {
  fc.assert(
    fc.property(fc.array(topicHistories, { maxLength: 3 }), (histories) => {
      const chained = createChained();
      chained.append(plainTrades(0, 2));
      for (const rows of histories) {
        // Another writer begins another chain.
        chained.begin(rows[0]!.kind);
        for (const each of rows) chained.append(each);
      }
      expect(chained.history.batches).toBeGreaterThan(0);
      expect(readWrongly(chained)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test.each([62, 63, 64, 65, 128, 129])(
  "%i batches of a chain are read from each of them",
  (count) => {
    const chained = createChained();
    for (let index = 0; index < count; index += 1) chained.append(plainTrades(index, 1));
    expect(chained.history.batches).toBeGreaterThan(0);
    expect(readWrongly(chained)).toEqual([]);
  },
);

test("batches of a chain take little more than their cores, and a page begins with a whole one", () => {
  const chained = createChained({ bytesMax: 6 * 512 });
  for (let index = 0; index < 400; index += 1) chained.append(plainTrades(index, 1));
  expect(chained.history.batches).toBeLessThan(400);
  expect(chained.history.batches).toBeGreaterThan(0);
  expect(readWrongly(chained)).toEqual([]);
  const coreBytes = chained.messages.slice(-chained.history.batches).map((message) => {
    const { coreStart, coreEnd } = readBusBatch(message);
    return coreEnd - coreStart;
  });
  const sum = coreBytes.reduce((total, length) => total + length, 0);
  // Of each a head of four bytes; and some whole ones, and what is free at the ends of pages.
  expect(chained.history.capacityBytes / (sum + 4 * coreBytes.length)).toBeLessThan(1.5);
});
