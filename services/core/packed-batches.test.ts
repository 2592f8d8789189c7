import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PackedBatches, packedBytesMax } from "./packed-batches.ts";
import type { PackedBatch } from "./packed-batches.ts";

type Content = { readonly events: number; readonly first: Uint8Array; readonly second: Uint8Array };

const PAGE_BYTES = 200;

/** Batches whose pages have this many bytes, or as many as a batch needs. */
function create() {
  const packed = new PackedBatches();
  let sequence = 0;
  const push = ({ events, first, second }: Content): void => {
    const source = Uint8Array.from([9, ...first, ...second, 9]);
    const parts = { start: 1, firstLength: first.length, secondLength: second.length };
    if (packed.needsPage(parts, sequence)) {
      packed.addPage(Math.max(PAGE_BYTES, packedBytesMax(parts)), sequence);
    }
    sequence += events;
    packed.push(source, parts, sequence);
  };
  return { packed, push };
}

const first = (batch: PackedBatch) =>
  batch.firstBytes.slice(batch.firstStart, batch.firstStart + batch.firstLength);
const second = (batch: PackedBatch) =>
  batch.secondBytes.slice(batch.secondStart, batch.secondStart + batch.secondLength);

function readAll(packed: PackedBatches, from = 0): Content[] {
  const read: Content[] = [];
  packed.readFrom(from, (batch) => {
    const events = batch.lastSequence - batch.baseSequence;
    read.push({ events, first: first(batch), second: second(batch) });
    return true;
  });
  return read;
}

/** Ten bytes that begin with these. */
const bytes = (...begin: number[]) => Uint8Array.from({ length: 10 }, (_, at) => begin[at] ?? 5);
/** So many bytes, none of which is the same in the next one. */
const filled = (length: number, by: number) =>
  Uint8Array.from({ length }, (_, at) => (7 * at + 3 * by) % 256);
const batch = (...begin: number[]) => ({ events: 1, first: bytes(...begin), second: bytes(3) });

describe("packed batches", () => {
  test("come out in order, whatever went before them and however long they are", () => {
    const part = (lengthMax: number) =>
      fc.oneof(
        fc.uint8Array({ maxLength: lengthMax }),
        fc.uint8Array({ minLength: 10, maxLength: 12, max: 2 }),
      );
    const content = fc.record({
      events: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(2 ** 40)),
      first: part(140),
      second: part(270),
    });
    const step = fc.oneof({ weight: 3, arbitrary: content }, fc.constant("drop" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { packed, push } = create();
        const kept: Content[] = [];
        const gone: number[] = [];
        const dropped: number[] = [];
        for (const what of steps) {
          if (what !== "drop") {
            push(what);
            kept.push(what);
          } else if (kept.length > 0) {
            gone.push((gone.at(-1) ?? 0) + kept.shift()!.events);
            dropped.push(packed.dropOldest());
          }
        }
        expect(dropped).toEqual(gone);
        expect(packed.length).toBe(kept.length);
        expect(readAll(packed)).toEqual(kept);
        let last = gone.at(-1) ?? 0;
        for (const [index, each] of kept.entries()) {
          expect(readAll(packed, index)).toEqual(kept.slice(index));
          expect(packed.baseSequenceAt(index)).toBe(last);
          expect(packed.indexAfter(last)).toBe(index);
          last += each.events;
          expect(packed.lastSequenceAt(index)).toBe(last);
        }
        expect(packed.indexAfter(last)).toBe(kept.length);
      }),
    );
  });

  test("take what differs from the batch before, and little more", () => {
    const { packed, push } = create();
    push(batch(1));
    // Then a head of four bytes, one for all masks of each part, and the byte that differs.
    const whole = 4 + 2 * (2 + 10);
    const most = packedBytesMax({ firstLength: 10, secondLength: 10 });
    const more = Math.floor((PAGE_BYTES - whole - most) / 7);
    for (let count = 0; count < more; count += 1) push(batch(count + 2));
    expect(packed.heldBytes).toBe(PAGE_BYTES);
    expect(more).toBeGreaterThan(10);
    expect(readAll(packed).at(-1)).toEqual(batch(more + 1));
  });

  test("come out in order where their length takes one byte and where it takes two", () => {
    const { packed, push } = create();
    // What is packed of them has from 50 to 90 bytes; cores have as many.
    const content = Array.from({ length: 41 }, (_, index) => [
      { events: 1, first: new Uint8Array(20).fill(index + 1), second: filled(22 + index, index) },
      { events: 1, first: new Uint8Array(0), second: filled(50 + index, index) },
    ]).flat();
    for (const each of content) push(each);
    expect(readAll(packed)).toEqual(content);
  });

  test("are read until no more are wanted", () => {
    const { packed, push } = create();
    for (let count = 1; count <= 30; count += 1) push(batch(count));
    const read: number[] = [];
    packed.readFrom(3, (each) => {
      read.push(each.lastSequence);
      return read.length < 20;
    });
    expect(read).toEqual(Array.from({ length: 20 }, (_, index) => index + 4));
  });

  test("need a page where the most that they may take has no room in the last one", () => {
    const parts = { start: 0, firstLength: 10, secondLength: 10 };
    for (const [more, needs] of [
      [-1, true],
      [0, false],
      [1, false],
    ] as const) {
      const packed = new PackedBatches();
      packed.addPage(packedBytesMax(parts) + more, 0);
      expect(packed.needsPage(parts, 0)).toBe(needs);
    }
  });

  test("need a page where they do not go on from the last one", () => {
    const { packed, push } = create();
    push(batch(1));
    const parts = { start: 0, firstLength: 10, secondLength: 10 };
    expect([packed.needsPage(parts, 1), packed.needsPage(parts, 2)]).toEqual([false, true]);
    packed.addPage(PAGE_BYTES, 7);
    packed.push(new Uint8Array(20).fill(5), parts, 8);
    expect([packed.lastSequenceAt(0), packed.baseSequenceAt(1)]).toEqual([1, 7]);
    expect(readAll(packed, 1)[0]?.first).toEqual(new Uint8Array(10).fill(5));
  });

  test("go with their page, and the time that is told is that of the next one", () => {
    const { packed, push } = create();
    for (let count = 1; count <= 30; count += 1) {
      push(batch(count));
      packed.noteTime(count * 100);
    }
    const pages = packed.heldBytes / PAGE_BYTES;
    const firstPage = packed.oldestTimeMs / 100;
    expect(packed.dropOldestPage()).toBe(PAGE_BYTES);
    expect(packed.heldBytes).toBe((pages - 1) * PAGE_BYTES);
    expect(packed.length).toBe(30 - firstPage);
    expect(packed.baseSequenceAt(0)).toBe(firstPage);
    expect(packed.oldestTimeMs).toBeGreaterThan(firstPage * 100);
    expect(packed.dropped).toBe(firstPage);
  });

  test("that are not there are a bug of the caller", () => {
    const { packed, push } = create();
    push(batch(1));
    expect(() => packed.lastSequenceAt(1)).toThrow("what is asked for is kept");
    expect(() => packed.baseSequenceAt(-1)).toThrow("what is asked for is kept");
    packed.dropOldest();
    expect(() => packed.dropOldest()).toThrow("what is dropped was kept");
  });
});
