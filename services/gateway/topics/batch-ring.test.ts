import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sharedBatch } from "#test/support/shared-batches.ts";
import { BatchRing } from "./batch-ring.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";

const TOPIC = new SharedTopic(7, { venue: "fake", channel: "trades" });

type Content = { readonly events: number; readonly bytes: number; readonly baseBytes: number };

/** A batch of news whose bytes differ from those of its neighbours. */
function news(lastSequence: number, { events, bytes, baseBytes }: Content): SharedBatch {
  const firstSequence = lastSequence - events + 1;
  const where = { events, skipped: 0, firstSequence, lastSequence, receivedAtUs: 5 };
  const fill = (length: number, seed: number) =>
    Uint8Array.from({ length }, (_, at) => lastSequence * 31 + at + seed);
  const base = baseBytes === 0 ? undefined : fill(baseBytes, 100);
  const content = { bytes: fill(bytes, 0), base };
  return SharedBatch.of(TOPIC, { ...where, isState: false, endsChain: false }, content);
}

/** What a ring is to give back of a batch. */
function told(batch: SharedBatch): unknown {
  const { bytes, base, topicId, labels, events, skipped, keptBytes } = batch;
  const { firstSequence, lastSequence, isState, endsChain } = batch;
  const where = { firstSequence, lastSequence, events, skipped, isState, endsChain };
  return { ...where, topicId, labels, keptBytes, bytes: [...bytes], base: base && [...base] };
}

const small = { events: 1, bytes: 30, baseBytes: 10 };

describe("a batch of a ring", () => {
  test("comes out as it went in, but for the time when it was received", () => {
    const ring = new BatchRing();
    const batch = news(9, { events: 3, bytes: 40, baseBytes: 12 });
    ring.push(batch, 6);
    expect(told(ring.at(0))).toEqual(told(batch));
    expect(ring.at(0).receivedAtUs).toBe(0);
    expect(ring.at(0)).not.toBe(batch);
    expect([ring.firstSequenceAt(0), ring.lastSequenceAt(0), ring.baseSequenceAt(0)]).toEqual([
      7, 9, 6,
    ]);
    expect([ring.length, ring.bytes, ring.keptBytesAt(0)]).toEqual([1, 52, 52]);
  });

  test("that was asked for does not change with what comes after it", () => {
    const ring = new BatchRing();
    const batches = Array.from({ length: 200 }, (_, index) => news(index + 1, small));
    ring.push(batches[0]!, 0);
    const first = ring.at(0);
    for (const batch of batches.slice(1)) {
      ring.push(batch, batch.lastSequence - 1);
      ring.dropOldest();
    }
    expect(told(first)).toEqual(told(batches[0]!));
  });

  test("is one object for all who ask for it soon after each other, and then let go", () => {
    const ring = new BatchRing();
    for (let sequence = 1; sequence <= 20; sequence += 1) {
      ring.push(news(sequence, small), sequence - 1);
    }
    const asked = ring.at(19);
    for (let sequence = 21; sequence <= 35; sequence += 1) {
      ring.push(news(sequence, small), sequence - 1);
    }
    expect(ring.at(19)).toBe(asked);
    for (let sequence = 36; sequence <= 51; sequence += 1) {
      ring.push(news(sequence, small), sequence - 1);
    }
    expect(ring.at(19)).not.toBe(asked);
    expect(told(ring.at(19))).toEqual(told(asked));
  });

  test.each([
    ["stands for events that were conflated away", sharedBatch(9), 4],
    ["is a state", sharedBatch(9, 9, { isState: true }), 8],
    ["has a base longer than a row says", news(9, { ...small, baseBytes: 65_536 }), 8],
    ["has more events than a row says", news(70_000, { ...small, events: 65_536 }), 4_464],
  ])("that %s is kept as the object that it is", (_, odd, baseSequence) => {
    const ring = new BatchRing();
    for (let sequence = 1; sequence <= 3; sequence += 1) {
      ring.push(news(sequence, small), sequence - 1);
    }
    ring.push(odd, baseSequence);
    const { lastSequence } = odd;
    for (let sequence = lastSequence + 1; sequence <= lastSequence + 30; sequence += 1) {
      ring.push(news(sequence, small), sequence - 1);
    }
    expect(ring.at(3)).toBe(odd);
    expect([ring.baseSequenceAt(3), ring.firstSequenceAt(3)]).toEqual([
      baseSequence,
      odd.firstSequence,
    ]);
    expect(ring.keptBytesAt(3)).toBe(odd.keptBytes);
    for (let count = 0; count < 3; count += 1) ring.dropOldest();
    expect(ring.at(0)).toBe(odd);
    ring.dropOldest();
    expect(ring.lastSequenceAt(0)).toBe(lastSequence + 1);
  });

  test.each([
    ["as many events as a row says", news(65_535, { ...small, events: 65_535 })],
    ["a base as long as a row says", news(1, { ...small, baseBytes: 65_535 })],
  ])("with %s is kept as bytes", (_, batch) => {
    const ring = new BatchRing();
    ring.push(batch, 0);
    expect(ring.at(0)).not.toBe(batch);
    expect(told(ring.at(0))).toEqual(told(batch));
  });

  test("comes out as it went in however far sequences have come", () => {
    const ring = new BatchRing();
    const step = 2 ** 30;
    const batches: SharedBatch[] = [];
    for (let index = 1; index <= 20; index += 1) {
      const batch = news(2 ** 40 + index * step, small);
      batches.push(batch);
      ring.push(batch, batch.lastSequence - 1);
      if (ring.length > 3) ring.dropOldest();
    }
    expect([0, 1, 2].map((index) => told(ring.at(index)))).toEqual(batches.slice(-3).map(told));
    expect(ring.heldBytes).toBeGreaterThan(3 * 40);
  });

  test("that is kept as an object takes no room from those around it", () => {
    const ring = new BatchRing();
    ring.push(news(1, { events: 1, bytes: 190, baseBytes: 17 }), 0);
    ring.push(sharedBatch(4), 1);
    ring.dropOldest();
    const batches = [
      news(5, { events: 1, bytes: 288, baseBytes: 18 }),
      news(6, { events: 1, bytes: 185, baseBytes: 22 }),
    ];
    for (const batch of batches) ring.push(batch, batch.lastSequence - 1);
    expect([1, 2].map((index) => told(ring.at(index)))).toEqual(batches.map(told));
  });

  test("that is not there is a bug of the caller", () => {
    const ring = new BatchRing();
    ring.push(news(1, small), 0);
    expect(() => ring.at(1)).toThrow("what is asked for is kept");
    expect(() => ring.lastSequenceAt(-1)).toThrow("what is asked for is kept");
  });
});

test("a ring is a queue of batches, whatever their sizes and in whichever order they come and go", () => {
  const content = fc.record({
    events: fc.integer({ min: 1, max: 5 }),
    bytes: fc.integer({ min: 0, max: 400 }),
    baseBytes: fc.integer({ min: 0, max: 60 }),
  });
  const step = fc.oneof(
    { weight: 5, arbitrary: content },
    { weight: 1, arbitrary: fc.constant("odd" as const) },
    { weight: 4, arbitrary: fc.constant("drop" as const) },
    { weight: 1, arbitrary: fc.constant("fit" as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
      const ring = new BatchRing();
      const model: { readonly batch: SharedBatch; readonly baseSequence: number }[] = [];
      let sequence = 0;
      for (const what of steps) {
        if (what === "drop") {
          if (model.length === 0) continue;
          model.shift();
          ring.dropOldest();
        } else if (what === "fit") ring.fit();
        else {
          const baseSequence = sequence;
          sequence += what === "odd" ? 3 : what.events;
          const batch = what === "odd" ? sharedBatch(sequence) : news(sequence, what);
          model.push({ batch, baseSequence });
          ring.push(batch, baseSequence);
        }
        expect(ring.length).toBe(model.length);
        expect(ring.bytes).toBe(model.reduce((sum, { batch }) => sum + batch.keptBytes, 0));
      }
      for (const [index, { batch, baseSequence }] of model.entries()) {
        expect(told(ring.at(index))).toEqual(told(batch));
        expect(ring.baseSequenceAt(index)).toBe(baseSequence);
        expect(ring.firstSequenceAt(index)).toBe(batch.firstSequence);
        expect(ring.lastSequenceAt(index)).toBe(batch.lastSequence);
      }
    }),
  );
});

describe("the memory of a ring", () => {
  const KEPT = 1_000;

  test("is that of its bytes, and sixteen bytes a batch", () => {
    const ring = new BatchRing(KEPT);
    for (let sequence = 1; sequence <= 20 * KEPT; sequence += 1) {
      ring.push(news(sequence, small), sequence - 1);
      if (ring.length > KEPT) ring.dropOldest();
    }
    expect(ring.bytes).toBe(KEPT * 40);
    expect(ring.heldBytes).toBeLessThanOrEqual((KEPT + 1) * (16 + 40 * 1.125) + 512);
  });

  test("is given back when most of what was kept has gone", () => {
    const ring = new BatchRing();
    for (let sequence = 1; sequence <= KEPT; sequence += 1) {
      ring.push(news(sequence, small), sequence - 1);
    }
    while (ring.length > 10) ring.dropOldest();
    ring.fit();
    expect(ring.heldBytes).toBeLessThan(2_000);
    expect(ring.lastSequenceAt(0)).toBe(KEPT - 9);
    expect(told(ring.at(9))).toEqual(told(news(KEPT, small)));
  });
});
