import { describe, expect, test } from "vitest";
import { movedRows, type Result, type Row } from "./compare.mjs";

/** A figure in nanoseconds, by the ratio of each of its rounds to a reference. */
function ofRatios(candidate: string, [low, middle, high]: readonly [number, number, number]): Row {
  const absolute = { min: 10 * low, median: 10 * middle, max: 10 * high };
  const ratios = { ratio: middle, ratioMin: low, ratioMax: high };
  return { measure: "trades", candidate, unit: "ns/event", ...absolute, ...ratios };
}

/** A figure of one round that has no reference. */
function ofBytes(bytes: number): Row {
  const unit = "KiB a session";
  return { measure: "sessions", candidate: "ours", unit, min: bytes, median: bytes, max: bytes };
}

const result = (rows: readonly Row[], cpu = "a processor"): Result => ({ machine: { cpu }, rows });
const before = result([ofRatios("ours", [0.95, 1, 1.05]), ofBytes(5)]);

describe("two runs of the suite", () => {
  test("are told as equal where nothing left the noise of either", () => {
    const now = result([ofRatios("ours", [1, 1.05, 1.1]), ofBytes(5)]);
    expect(movedRows(before, now)).toEqual([]);
  });

  test("are compared by ratios, so that a machine twice as slow moves nothing", () => {
    const slow = { ...ofRatios("ours", [0.95, 1, 1.05]), min: 190, median: 200, max: 210 };
    expect(movedRows(before, result([slow, ofBytes(5)]))).toEqual([]);
  });

  test("are said to differ, and in which direction, where one left the noise of both", () => {
    const now = result([ofRatios("ours", [1.45, 1.5, 1.55]), ofBytes(4)]);
    expect(movedRows(before, now)).toEqual([
      "trades | ours | ns/event: 1 -> 1.5 (+50 %, noise 5 %), worse",
      "sessions | ours | KiB a session: 5 -> 4 (-20 %, noise 0 %), better",
    ]);
  });

  test("say nothing of what the others are compared with, which is as fast as the machine", () => {
    const reference = (median: number): Row => {
      const absolute = { min: median - 1, median, max: median + 1 };
      return { measure: "trades", candidate: "JSON.parse", unit: "ns/event", ...absolute };
    };
    const now = result([...before.rows, reference(30)]);
    expect(movedRows(result([...before.rows, reference(10)]), now)).toEqual([]);
  });

  test("take no difference below a twentieth for more than noise, but of what never differs", () => {
    const close: Row = ofRatios("ours", [0.999, 1, 1.001]);
    const now = result([ofRatios("ours", [1.039, 1.04, 1.041]), ofBytes(5.1)]);
    expect(movedRows(result([close, ofBytes(5)]), now)).toEqual([
      "sessions | ours | KiB a session: 5 -> 5.1 (+2 %, noise 0 %), worse",
    ]);
  });

  test("know that more is better of what is counted for a second", () => {
    const speed = (ratio: number): Row => ({
      ...ofRatios("ours", [ratio, ratio, ratio]),
      unit: "frames/CPU-s",
    });
    expect(movedRows(result([speed(1)]), result([speed(2)]))[0]).toMatch(/\+100 %.*better$/);
  });

  test("have the noise that the same candidate shows against itself", () => {
    const again = ofRatios("JSON.parse again", [1.6, 1.6, 1.6]);
    const now = result([ofRatios("ours", [1.45, 1.5, 1.55]), again, ofBytes(5)]);
    expect(movedRows(result([...before.rows, again]), now)).toEqual([]);
  });

  test("say nothing of figures without a ratio that another machine made", () => {
    const now = result([ofRatios("ours", [0.95, 1, 1.05]), ofBytes(50)], "another processor");
    expect(movedRows(before, now)).toEqual([]);
  });

  test("name the rows that only one of them has, unless one is a part", () => {
    const now = result([ofRatios("ours", [0.95, 1, 1.05]), ofRatios("theirs", [1, 1, 1])]);
    expect(movedRows(before, now)).toEqual([
      "trades | theirs | ns/event: new, 1",
      "sessions | ours | KiB a session: gone",
    ]);
    expect(movedRows(before, result([]), { isPart: true })).toEqual([]);
  });
});
