import { expect, test } from "vitest";
import { Ring } from "./ring.ts";

test("a ring holds its capacity and drops the oldest", () => {
  const ring = new Ring<number>({ capacity: 3 });
  for (const item of [1, 2, 3]) ring.push(item);
  expect(ring.last(10)).toEqual([1, 2, 3]);
  ring.push(4);
  expect(ring.last(10)).toEqual([2, 3, 4]);
  expect(ring.last(2)).toEqual([3, 4]);
});
