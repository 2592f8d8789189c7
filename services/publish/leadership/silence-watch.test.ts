import { expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import { EXCUSES_MAX } from "#core/held-up.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { SilenceWatch } from "./silence-watch.ts";

const STEP_MS = 100;

function start(): { clock: ManualClock; watch: SilenceWatch; silences: () => number } {
  const clock = new ManualClock();
  let silences = 0;
  const watch = new SilenceWatch({ clock, stepMs: STEP_MS, onSilent: () => (silences += 1) });
  return { clock, watch, silences: () => silences };
}

test("tells once, after as long as it was armed for", () => {
  const { clock, watch, silences } = start();
  watch.arm(250);
  clock.advance(249);
  expect(silences()).toBe(0);
  clock.advance(1);
  expect(silences()).toBe(1);
  clock.advance(1_000);
  expect([silences(), clock.pending]).toEqual([1, 0]);
});

test("a word in between begins it anew, and what is cancelled tells nothing", () => {
  const { clock, watch, silences } = start();
  watch.arm(250);
  clock.advance(200);
  watch.arm(250);
  clock.advance(249);
  expect(silences()).toBe(0);
  watch.cancel();
  clock.advance(1_000);
  expect([silences(), clock.pending]).toEqual([0, 0]);
});

test.each([
  { heldMs: 150, leftMs: 200 },
  { heldMs: 151, leftMs: 300 },
])("of 300 ms, after $heldMs ms without the processor $leftMs ms are left", (held) => {
  const { clock, watch, silences } = start();
  watch.arm(300);
  clock.hold(held.heldMs);
  clock.advance(held.leftMs - 1);
  expect(silences()).toBe(0);
  clock.advance(1);
  expect(silences()).toBe(1);
});

test("so many steps are excused for being late, and no more", () => {
  const { clock, watch, silences } = start();
  watch.arm(STEP_MS);
  for (let step = 0; step < EXCUSES_MAX; step += 1) clock.hold(STEP_MS * 5);
  expect(silences()).toBe(0);
  clock.hold(STEP_MS * 5);
  expect(silences()).toBe(1);
});

test("nobody is judged in a grace, unless it ends", () => {
  const { clock, watch, silences } = start();
  watch.beginGrace(1_000);
  clock.advance(500);
  watch.arm(100);
  clock.advance(499);
  expect(silences()).toBe(0);
  clock.advance(1);
  expect(silences()).toBe(1);
  watch.beginGrace(1_000);
  watch.endGrace();
  watch.arm(100);
  clock.advance(100);
  expect(silences()).toBe(2);
});

test("steps without a length are a bug", () => {
  const clock = new ManualClock();
  expect(() => new SilenceWatch({ clock, stepMs: 0, onSilent: () => {} })).toThrow(InvariantError);
});
