import { expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import { QueryRetry } from "./query-retry.ts";

/** What is asked of others is written down; each wait is this share of what it may be. */
function rig(random = 1) {
  const done: string[] = [];
  const retry = new QueryRetry({
    random: () => random,
    actions: {
      retryAfter: (delayMs) => done.push(String(delayMs)),
      cancelRetry: () => done.push("cancel"),
    },
  });
  return { retry, taken: () => done.splice(0) };
}

test("each wait is twice as long as the one before, at most 5 s, and 250 ms after a success", () => {
  const { retry, taken } = rig();
  for (let failure = 0; failure < 7; failure += 1) {
    retry.arm();
    retry.due();
  }
  expect(taken()).toEqual(["250", "500", "1000", "2000", "4000", "5000", "5000"]);
  retry.answered();
  retry.arm();
  expect(taken()).toEqual(["250"]);
});

test("topics that fail together do not ask again together", () => {
  const delays = [0, 0.5, 0.75].map((random) => {
    const { retry, taken } = rig(random);
    retry.arm();
    return taken()[0];
  });
  expect(delays).toEqual(["0", "125", "187.5"]);
});

test("one retry is armed at a time, and it is cancelled once", () => {
  const { retry, taken } = rig();
  retry.cancel();
  retry.arm();
  retry.arm();
  retry.cancel();
  retry.cancel();
  expect(taken()).toEqual(["250", "cancel", "500", "cancel"]);
  expect(() => retry.due()).toThrow(InvariantError);
});

test("who is heard is asked at once, and once until there is an answer", () => {
  const { retry, taken } = rig();
  expect(retry.heard()).toBe(false);
  retry.arm();
  retry.arm();
  expect(retry.heard()).toBe(true);
  retry.arm();
  expect(retry.heard()).toBe(false);
  // It begins anew with the shortest wait.
  expect(taken()).toEqual(["250", "cancel", "500", "cancel", "250"]);
  retry.answered();
  expect(retry.heard()).toBe(true);
});
