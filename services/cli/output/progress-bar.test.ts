import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { progressText, startProgress, type StatusLine } from "./progress-bar.ts";

const HALF = {
  label: "converting a.gz",
  unit: "bytes",
  total: 20_000_000,
  done: 10_000_000,
  elapsedUs: 4_000_000,
  isUnicode: true,
} as const;

test("it says how much is done, how fast, and how long it will take", () => {
  expect(progressText({ ...HALF, columns: 100 })).toBe(
    `converting a.gz  ${"━".repeat(15)}${"─".repeat(15)}   50 %  10.0 of 20.0 MB  2.5 MB/s  4 s left`,
  );
  expect(progressText({ ...HALF, columns: 100, isUnicode: false })).toContain("####....");
});

test("it is never wider than the terminal less one column, and keeps the amounts longest", () => {
  for (let columns = 0; columns <= 200; columns += 1) {
    const text = progressText({ ...HALF, columns });
    expect(text.length).toBeLessThanOrEqual(Math.max(0, columns - 1));
    expect(text).toContain(" 50 %  10.0 of 20.0 MB".slice(0, Math.max(0, columns - 1)));
  }
});

test("without a total there is neither bar nor share", () => {
  const text = progressText({ ...HALF, total: undefined, columns: 100 });
  expect(text).toBe("converting a.gz  10.0 MB  2.5 MB/s");
});

test.each([
  ["lines", 500, 1_000, "50 %  500 of 1000 lines  125 lines/s  4 s left"],
  ["seconds", 4.7, 15, "31 %  4 of 15 s  9 s left"],
  ["checks", 3, 12, "25 %  3 of 12 checks  12 s left"],
] as const)("it counts %s", (unit, done, total, expected) => {
  const text = progressText({ ...HALF, unit, done, total, columns: 100 });
  expect(text).toContain(expected);
});

test.each([
  [100, "1 min 40 s left"],
  [4_000, "1 h 6 min left"],
])("%s s that are left are written for people", (seconds, expected) => {
  const half = { total: 2, done: 1, unit: "checks", elapsedUs: seconds * 1e6 } as const;
  expect(progressText({ ...HALF, ...half, columns: 100 })).toContain(expected);
});

test("more than the total is all of it", () => {
  expect(progressText({ ...HALF, done: 21_000_000, columns: 100 })).toContain("100 %");
});

function lineOf(isSeen: boolean): StatusLine & { readonly shown: string[] } {
  const shown: string[] = [];
  return { isSeen, columns: 80, isUnicode: true, shown, show: (text) => void shown.push(text) };
}

test("it is drawn ten times a second at most, and gone at the end", () => {
  const clock = new ManualClock();
  const line = lineOf(true);
  const progress = startProgress({ label: "x", unit: "lines", total: 100, line, clock });
  for (let done = 0; done < 100; done += 1) {
    progress.update(done);
    clock.advance(10);
  }
  expect(line.shown).toHaveLength(10);
  progress.end();
  expect(line.shown.at(-1)).toBe("");
  progress.update(100);
  progress.end();
  expect(line.shown).toHaveLength(11);
});

test("where nobody sees it nothing is drawn", () => {
  const clock = new ManualClock();
  const line = lineOf(false);
  const progress = startProgress({ label: "x", unit: "lines", total: 100, line, clock });
  progress.update(5);
  progress.end();
  expect(line.shown).toEqual([]);
});
