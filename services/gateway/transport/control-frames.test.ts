import { beforeEach, expect, test } from "vitest";
import { ControlFrames } from "./control-frames.ts";

let nowMs: number;
let frames: ControlFrames;

beforeEach(() => {
  nowMs = 5;
  frames = new ControlFrames(() => nowMs);
});

const take = (count: number): number =>
  Array.from({ length: count }, () => frames.take()).filter(Boolean).length;

test("200 may come at once, and one more is one too many", () => {
  expect(take(199)).toBe(199);
  expect(take(1)).toBe(1);
  expect(take(1)).toBe(0);
});

test("50 a second may come for ever", () => {
  for (let second = 0; second < 100; second += 1) {
    nowMs += 1_000;
    expect(take(50)).toBe(50);
  }
});

test("a pong that we asked for costs nothing", () => {
  take(100);
  for (let index = 0; index < 1_000; index += 1) {
    frames.expectPong();
    expect(take(1)).toBe(1);
  }
  expect(take(250)).toBe(100);
});

test("a client that was quiet has 200 again, and no more", () => {
  take(200);
  nowMs += 3_600_000;
  expect(take(250)).toBe(200);
});
