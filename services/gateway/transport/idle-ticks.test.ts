import { expect, test } from "vitest";
import { dueAfter } from "./idle-ticks.ts";

test("a silent client is pinged after half of the ticks, and cut after the last", () => {
  const due = [1, 2, 3, 4, 5, 6].map((silentTicks) => dueAfter(silentTicks));
  expect(due).toEqual([undefined, undefined, "ping", undefined, "cut", "cut"]);
});
