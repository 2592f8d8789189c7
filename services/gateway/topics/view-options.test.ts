import { describe, expect, test } from "vitest";
import { isRaw, offeredView } from "./view-options.ts";

describe("the view that is offered", () => {
  test.each([
    [0, 0],
    [1, 1],
    [2, 5],
    [5, 5],
    [6, 10],
    [11, 20],
    [21, 50],
    [51, 100],
    [101, 500],
    [501, 1_000],
    [1_000, 1_000],
    [1_001, 0],
    [4_294_967_295, 0],
  ])("for a depth of %i has %i levels", (depth, offered) => {
    expect(offeredView("book", { depth, conflationIntervalMs: 0 })?.depth).toBe(offered);
  });

  test.each([
    [0, 0],
    [1, 50],
    [50, 50],
    [51, 100],
    [101, 250],
    [251, 500],
    [501, 1_000],
    [1_001, 2_000],
    [2_001, 5_000],
    [5_001, 10_000],
    [10_000, 10_000],
  ])("for an interval of %i ms has one of %i ms", (conflationIntervalMs, offered) => {
    expect(offeredView("quotes", { depth: 0, conflationIntervalMs })?.intervalMs).toBe(offered);
  });

  test("is none for an interval that is longer than all of them", () => {
    expect(offeredView("quotes", { depth: 0, conflationIntervalMs: 10_001 })).toBeUndefined();
  });

  test("has no depth but for books", () => {
    const view = offeredView("trades", { depth: 5, conflationIntervalMs: 0 });
    expect(view).toEqual({ depth: 0, intervalMs: 0 });
    expect(view && isRaw(view)).toBe(true);
  });
});
