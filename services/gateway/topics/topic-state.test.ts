import { describe, expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import type { SharedBatch } from "./shared-batch.ts";
import { TopicState } from "./topic-state.ts";

const LIMITS = { ringBytesMax: 1_000, ringBatchesMax: 10 };
const LABELS = { venue: "fake", channel: "book" };

function batch(first: number, last = first, bytes = 10): SharedBatch {
  const common = {
    bytes: new Uint8Array(bytes),
    topicId: 1,
    events: last - first + 1,
    labels: LABELS,
  };
  return { ...common, firstSequence: first, lastSequence: last };
}

function order(first: number, last = first, epoch = 1, previousSequence = 0) {
  return { epoch, firstSequence: first, count: last - first + 1, previousSequence };
}

function at(sequence: number, epoch = 1) {
  return { epoch, sequence };
}

function started(sequence = 5): TopicState {
  const state = new TopicState(LIMITS);
  state.reset(at(sequence), batch(sequence));
  return state;
}

const firsts = (start: { readonly batches: readonly SharedBatch[] } | undefined) =>
  start?.batches.map((entry) => entry.firstSequence);

describe("a batch", () => {
  test("that continues is appended; the same again is a duplicate", () => {
    const state = started(5);
    expect(state.append(order(6, 8), batch(6, 8)).kind).toBe("appended");
    expect(state.append(order(6, 8), batch(6, 8)).kind).toBe("duplicate");
    expect(state.position).toEqual(at(8));
  });

  test("that leaves some out is a gap with both ends, and changes nothing", () => {
    const state = started(5);
    const appended = state.append(order(8), batch(8));
    expect(appended).toEqual({ kind: "gap", missingFirst: 6, missingLast: 7 });
    expect(state.position).toEqual(at(5));
  });

  test("that was conflated continues from where it says", () => {
    const state = started(5);
    expect(state.append(order(9, 9, 1, 5), batch(9)).kind).toBe("appended");
    expect(firsts(state.resume(at(5)))).toEqual([9]);
    expect(state.append(order(20, 20, 1, 10), batch(20)).kind).toBe("gap");
  });

  test("of a newer epoch is told apart; of an older one it is ignored", () => {
    const state = started(5);
    expect(state.append(order(1, 1, 2), batch(1)).kind).toBe("epoch");
    expect(state.append(order(6, 6, 0), batch(6)).kind).toBe("duplicate");
  });
});

describe("a start", () => {
  test("is the snapshot and everything after it", () => {
    const state = started(5);
    state.append(order(6), batch(6));
    state.append(order(7), batch(7));
    expect(state.startFromSnapshot()?.position).toEqual(at(5));
    expect(firsts(state.startFromSnapshot())).toEqual([5, 6, 7]);
  });

  test("uses a newer snapshot from then on, while what came before can still be resumed", () => {
    const state = started(5);
    for (const sequence of [6, 7, 8]) state.append(order(sequence), batch(sequence));
    expect(state.installSnapshot(at(7), batch(7, 7, 99))).toBe(true);
    expect(firsts(state.startFromSnapshot())).toEqual([7, 8]);
    expect(firsts(state.resume(at(5)))).toEqual([6, 7, 8]);
  });

  test.each([
    ["ahead of what is here", at(9)],
    ["of another epoch", at(6, 2)],
    ["inside a batch", at(7)],
    ["before what the ring holds", at(4)],
  ])("does not use a snapshot %s", (_, position) => {
    const state = started(5);
    state.append(order(6), batch(6));
    state.append(order(7, 8), batch(7, 8));
    expect(state.installSnapshot(position, batch(position.sequence))).toBe(false);
    expect(state.startFromSnapshot()?.position).toEqual(at(5));
  });

  test("without state is empty at the position", () => {
    const state = new TopicState(LIMITS);
    state.reset(at(0), undefined);
    expect(state.startFromSnapshot()).toEqual({ position: at(0), batches: [] });
    expect(state.lastBatch).toBeUndefined();
  });
});

describe("the ring", () => {
  const fill = (count: number, bytes: number) => {
    const state = started(0);
    let dropped = 0;
    for (let sequence = 1; sequence <= count; sequence += 1) {
      state.append(order(sequence), batch(sequence, sequence, bytes));
      dropped += state.trim();
    }
    return { state, dropped };
  };

  test.each([
    [9, 0, true],
    [10, 0, true],
    [11, 1, false],
  ])("with %i batches has dropped %i by count", (count, dropped, complete) => {
    const { state, dropped: actual } = fill(count, 1);
    expect(actual).toBe(dropped);
    expect(state.resume(at(0)) !== undefined).toBe(complete);
    expect(state.hasSnapshot).toBe(complete);
    expect(state.ringBatches).toBe(Math.min(count, LIMITS.ringBatchesMax));
  });

  test.each([
    [333, 0],
    [334, 1],
  ])("with 3 batches of %i bytes has dropped %i by size", (bytes, dropped) => {
    const { state, dropped: actual } = fill(3, bytes);
    expect(actual).toBe(dropped);
    expect(state.ringBytes).toBeLessThanOrEqual(LIMITS.ringBytesMax);
  });

  test("asks for a snapshot when more than half of it lies after the last one", () => {
    const wants = (count: number) => fill(count, 1).state.wantsSnapshot;
    expect([wants(4), wants(5), wants(6)]).toEqual([false, false, true]);
    const { state } = fill(6, 1);
    state.installSnapshot(at(3), batch(3));
    expect(state.wantsSnapshot).toBe(false);
  });

  test("resumes exactly or not at all, whatever the order of events", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = createPrng(seed);
      const state = started(0);
      let last = 0;
      for (let step = 0; step < 40; step += 1) {
        const count = 1 + random.below(4);
        state.append(
          order(last + 1, last + count),
          batch(last + 1, last + count, random.below(200)),
        );
        last += count;
        state.trim();
        const from = random.below(last + 1);
        const resumed = state.resume(at(from));
        const sequences = resumed?.batches.flatMap(({ firstSequence, lastSequence }) =>
          Array.from({ length: lastSequence - firstSequence + 1 }, (_, at) => firstSequence + at),
        );
        const missed = Array.from({ length: last - from }, (_, index) => from + 1 + index);
        expect(sequences ?? missed).toEqual(missed);
      }
    }
  });
});
