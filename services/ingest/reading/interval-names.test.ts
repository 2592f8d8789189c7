import { expect, test } from "vitest";
import { intervalsNamed } from "./interval-names.ts";

test("intervals have the length that their names say, and others have none", () => {
  const names = ["1m", "30m", "12h", "3d", "14D", "1w", "1W"];
  const intervals = intervalsNamed(names);
  expect(names.map((name) => intervals.get(name))).toEqual([
    60_000, 1_800_000, 43_200_000, 259_200_000, 1_209_600_000, 604_800_000, 604_800_000,
  ]);
  expect(intervals.get("7m")).toBeUndefined();
});

test.each(["1M", "1H", "m", "1", "1m ", ""])("%j has no fixed length", (name) => {
  expect(() => intervalsNamed([name])).toThrow("no interval of a fixed length");
});
