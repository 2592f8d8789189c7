import { expect, test } from "vitest";
import { IdleTicks } from "./idle-ticks.ts";

test("a silent client is pinged after half of the ticks, and cut after the last", () => {
  const silence = new IdleTicks();
  const due = Array.from({ length: 5 }, () => silence.tick());
  expect(due).toEqual([undefined, undefined, "ping", undefined, "cut"]);
});

test("a client that is heard starts anew", () => {
  const silence = new IdleTicks();
  for (let tick = 0; tick < 4; tick += 1) silence.tick();
  silence.heard();
  expect(silence.tick()).toBeUndefined();
});
