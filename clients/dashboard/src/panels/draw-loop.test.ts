import { expect, test } from "vitest";
import { DrawLoop } from "./draw-loop.ts";

function loopOf(drawIntervalMs = 0) {
  const drawn: string[] = [];
  const timers: { atMs: number; callback: () => void }[] = [];
  const frames: (() => void)[] = [];
  let nowMs = 1_000;
  const panel = (name: string, intervalMs: number, hidden = false) => ({
    element: { hidden } as HTMLElement,
    drawIntervalMs: intervalMs,
    draw: () => void drawn.push(name),
  });
  const loop = new DrawLoop(
    [panel("fast", 0), panel("slow", drawIntervalMs), panel("hidden", 0, true)],
    () => undefined,
    {
      steadyMs: () => nowMs,
      afterMs: (delayMs, callback) => void timers.push({ atMs: nowMs + delayMs, callback }),
      onFrame: (callback) => void frames.push(callback),
    },
  );
  return {
    loop,
    drawn,
    frames,
    timers,
    frame: () => frames.shift()?.(),
    /** Runs the timers of that time. */
    at: (toMs: number) => {
      nowMs = toMs;
      const due = timers.filter(({ atMs }) => atMs <= toMs);
      timers.splice(0, timers.length, ...timers.filter(({ atMs }) => atMs > toMs));
      for (const { callback } of due) callback();
    },
  };
}

test("what changes in one frame is drawn once, what is hidden not at all", () => {
  const { loop, drawn, frame, frames } = loopOf();
  loop.redraw();
  loop.redraw();
  expect(frames).toHaveLength(1);
  frame();
  expect(drawn).toEqual(["fast", "slow"]);
});

test.each([99, 100])("what changes again is drawn 100 ms after, tried at %d", (afterMs) => {
  const { loop, drawn, frame, frames, at } = loopOf();
  loop.redraw();
  frame();
  loop.redraw();
  loop.redraw();
  expect(frames).toHaveLength(0);
  at(1_000 + afterMs);
  frame();
  expect(drawn).toHaveLength(afterMs < 100 ? 2 : 4);
});

test("what a reader did is drawn with the next frame, and leaves no second one behind", () => {
  const { loop, drawn, frame, frames, at } = loopOf(500);
  loop.redraw();
  frame();
  loop.redraw();
  loop.redraw(true);
  frame();
  expect(drawn).toEqual(["fast", "slow", "fast", "slow"]);
  at(1_050);
  expect(frames).toHaveLength(0);
});

test("a panel that is drawn less often has the last change in the end, without another one", () => {
  const { loop, drawn, frame, at } = loopOf(250);
  loop.redraw();
  frame();
  loop.redraw();
  for (let nowMs = 1_100; nowMs <= 1_400; nowMs += 100) {
    at(nowMs);
    frame();
  }
  expect(drawn.filter((name) => name === "slow")).toHaveLength(2);
});
