import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { slowWhileHidden } from "./visibility.ts";

let clock: ManualClock;
let show: ((isVisible: boolean) => void) | undefined;
let slowedTo: number[];

beforeEach(() => {
  clock = new ManualClock();
  show = undefined;
  slowedTo = [];
});

function begin(intervalMs: number): () => void {
  return slowWhileHidden(intervalMs, {
    clock,
    watch: (listener) => {
      show = listener;
      return () => (show = undefined);
    },
    slowTo: (interval) => slowedTo.push(interval),
  });
}

test("a page that stays hidden for five seconds is slowed, and is whole again when it is shown", () => {
  begin(1_000);
  show?.(false);
  clock.advance(4_999);
  expect(slowedTo).toEqual([]);
  clock.advance(1);
  expect(slowedTo).toEqual([1_000]);
  show?.(true);
  expect(slowedTo).toEqual([1_000, 0]);
});

test("a page that is shown again before is not slowed", () => {
  begin(1_000);
  show?.(false);
  show?.(true);
  clock.advance(10_000);
  expect(slowedTo).toEqual([0]);
});

test("an interval of 0 watches nothing", () => {
  begin(0);
  expect(show).toBeUndefined();
});

test("nothing is slowed after the end", () => {
  const end = begin(1_000);
  show?.(false);
  end();
  clock.advance(10_000);
  expect([show, slowedTo, clock.pending]).toEqual([undefined, [], 0]);
});
