import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteBudget } from "#core/byte-budget.ts";
import { BatchHistory } from "./batch-history.ts";

const HEAD_BYTES = 24;

function create(limits: { bytesMax?: number; ageMs?: number; totalBytesMax?: number } = {}) {
  const { bytesMax = 4_096, ageMs = 1_000, totalBytesMax = 1_000_000 } = limits;
  const budget = new ByteBudget({ bytesMax: totalBytesMax });
  const history = new BatchHistory({ historyBytesMax: bytesMax, historyAgeMs: ageMs }, budget);
  let lastSequence = 0;
  const append = (bytes: number, options: { count?: number; nowMs?: number } = {}) => {
    const { count = 1, nowMs = 0 } = options;
    lastSequence += count;
    history.append(new Uint8Array(bytes).fill(lastSequence), { count, lastSequence, nowMs });
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

test("young batches make the memory grow up to its limit, and then the oldest make room", () => {
  const { history, append } = create({ bytesMax: 2_048 });
  const size = 256 - HEAD_BYTES;
  for (let index = 0; index < 8; index += 1) append(size);
  expect(history.capacityBytes).toBe(2_048);
  expect(history.keptAfter).toBe(0);
  append(size);
  expect(history.capacityBytes).toBe(2_048);
  expect(history.keptAfter).toBe(1);
  expect(history.after(0, 10_000)).toBeUndefined();
  expect(firsts(history.after(1, 10_000))).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a batch of the greatest age makes room before memory is taken, a younger one does not", () => {
  for (const [nowMs, batches] of [
    [999, 5],
    [1_000, 4],
  ] as const) {
    const { history, append } = create();
    for (let index = 0; index < 4; index += 1) append(256 - HEAD_BYTES);
    expect(history.capacityBytes).toBe(1_024);
    append(256 - HEAD_BYTES, { nowMs });
    expect(history.batches).toBe(batches);
  }
});

test("a batch as large as all that may be held is kept alone, a larger one not at all", () => {
  const { history, append } = create({ bytesMax: 2_048 });
  append(10);
  append(2_048 - HEAD_BYTES);
  expect(history.keptAfter).toBe(1);
  append(2_049 - HEAD_BYTES);
  expect(history.batches).toBe(0);
  expect(history.keptAfter).toBe(3);
  append(10);
  expect(firsts(history.after(3, 1_000))).toEqual([4]);
});

test("histories share a budget: who comes when it is used up keeps nothing", () => {
  const budget = new ByteBudget({ bytesMax: 1_500 });
  const limits = { historyBytesMax: 4_096, historyAgeMs: 1_000 };
  const [one, other] = [new BatchHistory(limits, budget), new BatchHistory(limits, budget)];
  const batch = new Uint8Array(500);
  for (let lastSequence = 1; lastSequence <= 3; lastSequence += 1) {
    one.append(batch, { count: 1, lastSequence, nowMs: 0 });
  }
  expect(one.capacityBytes).toBe(1_024);
  expect(one.keptAfter).toBe(2);
  other.append(batch, { count: 1, lastSequence: 1, nowMs: 0 });
  expect(other.batches).toBe(0);
  expect(budget.bytes).toBe(1_024);
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
        history.append(content, { count, lastSequence: last, nowMs });
      }
      const kept = list.slice(list.length - history.batches);
      const keptBytes = kept.reduce((sum, { bytes }) => sum + bytes.byteLength + HEAD_BYTES, 0);
      expect(keptBytes).toBeLessThanOrEqual(history.capacityBytes);
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
