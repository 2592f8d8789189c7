import { expect, test } from "vitest";
import { pressWatchKey, WATCH_INPUT } from "./watch-keys.ts";
import { WATCH_PANELS, watchScreen, type WatchState } from "./watch-screen.ts";

const STATE: WatchState = {
  address: "http://127.0.0.1:8080",
  connection: "open",
  eventsPerSecond: 12.4,
  rows: Array.from({ length: 40 }, (_, index) => ({
    name: `venue:SYMBOL${index}`,
    last: "97.70",
    changePercent: index - 20,
    bid: "97.69",
    ask: "97.71",
    state: index === 3 ? "stale" : "live",
    isBad: index === 3,
  })),
  selected: 2,
  bids: [{ price: "97.69", size: "1.50", share: 1 }],
  asks: [{ price: "97.71", size: "0.75", share: 0.5 }],
  bookState: "live",
  spread: "0.02",
  trades: [{ time: "10:00:01", price: "97.70", size: "0.10", isBuy: true }],
  notice: "",
  isPaused: false,
};

function textsOf(state: WatchState, size: { columns: number; lines: number }): string[] {
  return watchScreen(state, "markets", size).map(({ parts }) =>
    parts.map(({ text }) => text).join(""),
  );
}

test("a wide terminal has list, ladder and trades beside each other", () => {
  const lines = textsOf(STATE, { columns: 140, lines: 30 });
  expect(lines[0]).toContain("open   40 instruments   12 events/s");
  expect(lines[2]).toMatch(/MARKET.*LAST.*24 H.*STATE.*PRICE.*SIZE.*TIME.*TRADE/);
  expect(lines[3]).toMatch(/venue:SYMBOL0 .*97\.70 .*-20\.00% .*live.*10:00:01 .*97\.70 .*0\.10/);
  expect(lines.join("\n")).toMatch(/97\.71 +0\.75 ▇+\s/);
  expect(lines.join("\n")).toContain("spread 0.02");
});

test("no line is wider than the terminal and there are no more than it has", () => {
  const loud = { ...STATE, notice: "x".repeat(500), connection: "y".repeat(300) };
  for (let columns = 20; columns < 200; columns += 7) {
    for (let lines = 6; lines < 60; lines += 9) {
      for (const front of WATCH_PANELS) {
        const screen = watchScreen(loud, front, { columns, lines });
        expect(screen.length).toBeLessThanOrEqual(lines);
        for (const { parts } of screen) {
          const width = parts.reduce((sum, { text }) => sum + text.length, 0);
          expect(width).toBeLessThanOrEqual(columns);
        }
      }
    }
  }
});

test("the list goes with what is chosen, and a narrow terminal shows the panel in front", () => {
  const lines = textsOf({ ...STATE, selected: 39 }, { columns: 80, lines: 20 });
  expect(lines.join("\n")).toContain("venue:SYMBOL39");
  expect(lines.join("\n")).not.toContain("venue:SYMBOL1 ");
  expect(lines.join("\n")).not.toContain("TRADE");
  const front = watchScreen(STATE, "trades", { columns: 40, lines: 20 });
  expect(front[2]?.parts.map(({ text }) => text).join("")).toContain("TRADE");
});

test("what is bad, and what is lost, is seen", () => {
  const screen = watchScreen({ ...STATE, notice: "venue:A/trades gap" }, "markets", {
    columns: 140,
    lines: 30,
  });
  const parts = screen.flatMap((line) => line.parts);
  expect(parts).toContainEqual({ text: "  stale", style: "bad" });
  expect(parts).toContainEqual({ text: "venue:A/trades gap", style: "warn" });
});

test("foreign text cannot reach the terminal with characters that it obeys", () => {
  const [row] = STATE.rows;
  const evil = "\u001b[2J\u009b31m";
  const rows = [{ ...(row as (typeof STATE.rows)[number]), name: evil, state: evil }];
  const state = { ...STATE, rows, selected: 0, notice: evil, bookState: evil };
  const text = textsOf(state, { columns: 140, lines: 30 }).join("");
  // oxlint-disable-next-line no-control-regex -- what is looked for
  expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
});

test.each([
  ["\u001b[B", { selected: 6 }],
  ["j", { selected: 6 }],
  ["\u001b[A", { selected: 4 }],
  ["\u001b[6~", { selected: 9 }],
  ["\u001b[5~", { selected: 0 }],
  ["\u001b[H", { selected: 0 }],
  ["\u001b[F", { selected: 9 }],
  ["\t", { front: "book" }],
  ["+", { depth: 50 }],
  ["-", { depth: 10 }],
  [" ", { isPaused: true }],
  ["x", {}],
])("the key %j leads to %j", (key, expected) => {
  const input = { ...WATCH_INPUT, selected: 5 };
  expect(pressWatchKey(input, key, 10)).toEqual({ ...input, ...expected });
});

test.each(["q", "\u0003"])("%j quits", (key) => {
  expect(pressWatchKey(WATCH_INPUT, key, 10)).toBeUndefined();
});

test("depths end where they end", () => {
  let input = WATCH_INPUT;
  for (let count = 0; count < 10; count += 1) input = pressWatchKey(input, "+", 1) ?? input;
  expect(input.depth).toBe(100);
  for (let count = 0; count < 10; count += 1) input = pressWatchKey(input, "-", 1) ?? input;
  expect(input.depth).toBe(5);
});
