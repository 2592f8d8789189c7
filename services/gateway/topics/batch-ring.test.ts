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
    expect([ring.length, ring.bytes, ring.bytesFrom(0)]).toEqual([1, 52, 52]);
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
    ["has no event that is new", news(9, { ...small, events: 3 }), 8],
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
    expect(ring.bytesFrom(3) - ring.bytesFrom(4)).toBe(odd.keptBytes);
    for (let count = 0; count < 3; count += 1) ring.dropOldest();
    expect(ring.at(0)).toBe(odd);
    ring.dropOldest();
    expect(ring.lastSequenceAt(0)).toBe(lastSequence + 1);
  });

  test.each([
    ["127 bytes", { ...small, bytes: 127 }],
    ["128 bytes", { ...small, bytes: 128 }],
    ["129 bytes", { ...small, bytes: 129 }],
    ["a base of 255 bytes", { ...small, baseBytes: 255 }],
    ["a base of 256 bytes", { ...small, baseBytes: 256 }],
    ["a base of 257 bytes", { ...small, baseBytes: 257 }],
    ["more bytes than a page", { ...small, bytes: 70_000, baseBytes: 70_000 }],
    ["no base", { ...small, baseBytes: 0 }],
    ["many events", { ...small, events: 1_000_000 }],
  ])("with %s comes out as it went in, and so do those around it", (_, content) => {
    const ring = new BatchRing();
    const batches = [small, small, content, content, small, content, small].map((each, index) => {
      return news((index + 1) * 1_000_000, { ...each, events: 1_000_000 });
    });
    for (const batch of batches) ring.push(batch, batch.lastSequence - 1_000_000);
    expect(ring.from(0, Infinity).map(told)).toEqual(batches.map(told));
    for (const [index, batch] of batches.entries()) {
      const other = new BatchRing();
      other.pushAll(ring);
      expect(told(other.at(index))).toEqual(told(batch));
    }
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
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
      const ring = new BatchRing();
      const model: { readonly batch: SharedBatch; readonly baseSequence: number }[] = [];
      const gone: unknown[] = [];
      const dropped: unknown[] = [];
      let sequence = 0;
      for (const what of steps) {
        if (what === "drop") {
          if (model.length === 0) continue;
          gone.push(model.shift()?.batch.lastSequence);
          dropped.push(ring.dropOldest());
        } else {
          const baseSequence = sequence;
          sequence += what === "odd" ? 3 : what.events;
          const batch = what === "odd" ? sharedBatch(sequence) : news(sequence, what);
          model.push({ batch, baseSequence });
          ring.push(batch, baseSequence);
        }
        expect(ring.length).toBe(model.length);
        expect(ring.bytes).toBe(model.reduce((sum, { batch }) => sum + batch.keptBytes, 0));
      }
      expect(dropped).toEqual(gone);
      const batches = model.map(({ batch }) => batch);
      expect(ring.from(0, Infinity).map(told)).toEqual(batches.map(told));
      for (const [index, { batch, baseSequence }] of model.entries()) {
        const rest = batches.slice(index).reduce((sum, { keptBytes }) => sum + keptBytes, 0);
        expect(ring.bytesFrom(index)).toBe(rest);
        expect(ring.indexAfter(batch.lastSequence)).toBe(index + 1);
        expect(ring.indexAfter(batch.lastSequence - 1)).toBe(index);
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

  /** As batches of a market are: most of a base is the same in the next one. */
  const alike = (sequence: number) => {
    const extent = { events: 1, skipped: 0, firstSequence: sequence, lastSequence: sequence };
    const numbers = new Uint8Array(48).fill(7);
    new DataView(numbers.buffer).setUint32(8, sequence);
    const [bytes, base] = [numbers.slice(0, 24), numbers.slice()];
    const kind = { isState: false, endsChain: false, receivedAtUs: 5 };
    return SharedBatch.of(TOPIC, { ...extent, ...kind }, { bytes, base });
  };
  const filled = () => {
    const ring = new BatchRing();
    for (let sequence = 1; sequence <= 20 * KEPT; sequence += 1) {
      ring.push(alike(sequence), sequence - 1);
      if (ring.length > KEPT) ring.dropOldest();
    }
    return ring;
  };

  test("is that of what differs from batch to batch, and of a page that is being filled", () => {
    const ring = filled();
    expect(ring.bytes).toBe(KEPT * 72);
    expect(ring.heldBytes).toBeGreaterThan(KEPT * 12);
    expect(ring.heldBytes).toBeLessThan(KEPT * 20 + 2 * 8_192);
    expect(told(ring.at(0))).toEqual(told(alike(19 * KEPT + 1)));
  });

  test("is given back with those that go", () => {
    const ring = filled();
    while (ring.length > 10) ring.dropOldest();
    expect(ring.heldBytes).toBeLessThanOrEqual(2 * 8_192);
    expect(told(ring.at(9))).toEqual(told(alike(20 * KEPT)));
    while (ring.length > 0) ring.dropOldest();
    expect([ring.heldBytes, ring.bytes]).toEqual([0, 0]);
    ring.push(alike(5), 4);
    expect(told(ring.at(0))).toEqual(told(alike(5)));
  });
});
