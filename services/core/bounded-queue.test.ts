import { describe, expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { BoundedQueue } from "./bounded-queue.ts";

describe("BoundedQueue", () => {
  test.each([
    [2, [true, true]],
    [3, [true, true, true]],
    [4, [true, true, true, false]],
  ])("of %i items a queue for 3 takes %j", (count, taken) => {
    const queue = new BoundedQueue<number>({ capacity: 3 });
    expect(Array.from({ length: count }, (_, item) => queue.push(item))).toEqual(taken);
    expect(queue.length).toBe(Math.min(count, 3));
    expect(queue.isFull).toBe(count >= 3);
  });

  test("makes room by giving back the oldest", () => {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    expect([1, 2, 3, 4].map((item) => queue.pushEvicting(item))).toEqual([
      undefined,
      undefined,
      1,
      2,
    ]);
    expect([queue.at(0), queue.at(1), queue.at(2)]).toEqual([3, 4, undefined]);
    queue.clear();
    expect([queue.length, queue.shift()]).toEqual([0, undefined]);
  });

  test.each([0, -1, 1.5, NaN, Infinity])("a capacity of %d is a mistake", (capacity) => {
    expect(() => new BoundedQueue({ capacity })).toThrow(RangeError);
  });

  test("behaves like an array over any sequence of operations", () => {
    const random = createPrng(2);
    const queue = new BoundedQueue<number>({ capacity: 300 });
    const model: number[] = [];
    for (let step = 0; step < 20_000; step++) {
      // Long phases of growing and shrinking, so that the front is compacted.
      const grows = random.chance(step % 2_000 < 1_000 ? 0.7 : 0.3);
      const fits = model.length < 300;
      const actual = grows ? queue.push(step) : queue.shift();
      const expected = grows ? fits : model.shift();
      if (grows && fits) model.push(step);
      expect(actual).toBe(expected);
      expect(queue.length).toBe(model.length);
      expect(queue.at(0)).toBe(model[0]);
      expect(queue.at(model.length - 1)).toBe(model.at(-1));
    }
  });
});
