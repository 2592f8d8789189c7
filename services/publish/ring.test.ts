import { expect, test } from "vitest";
import { Ring } from "./ring.ts";

test("a ring holds its capacity and drops the oldest", () => {
  const ring = new Ring<number>({ capacity: 3 });
  const items = () => Array.from({ length: ring.length }, (_, index) => ring.at(index));
  expect(items()).toEqual([]);
  for (const item of [1, 2, 3]) ring.push(item);
  expect(items()).toEqual([1, 2, 3]);
  ring.push(4);
  expect(items()).toEqual([2, 3, 4]);
  expect(() => ring.at(3)).toThrow("what is asked for is in the ring");
  expect(() => ring.at(-1)).toThrow("what is asked for is in the ring");
});
