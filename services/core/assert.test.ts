import { expect, test } from "vitest";
import { assert, InvariantError } from "./assert.ts";

test("what holds passes, what does not is named", () => {
  expect(() => assert(true, "one is less than two")).not.toThrow();
  expect(() => assert(false, "one is less than two")).toThrow(InvariantError);
  expect(() => assert(false, "one is less than two")).toThrow(
    "broken invariant: one is less than two",
  );
});
