import { expect, test } from "vitest";
import { hasColours, painted, paintedHelp, takeColourWish } from "./colours.ts";

test.each([
  ["auto", true, {}, true],
  ["auto", false, {}, false],
  ["auto", true, { TERM: "dumb" }, false],
  ["auto", true, { NO_COLOR: "1" }, false],
  ["auto", true, { NO_COLOR: "" }, true],
  ["auto", false, { FORCE_COLOR: "1" }, true],
  ["auto", true, { FORCE_COLOR: "0" }, false],
  ["auto", false, { FORCE_COLOR: "", NO_COLOR: "1" }, true],
  ["always", false, { NO_COLOR: "1" }, true],
  ["never", true, { FORCE_COLOR: "1" }, false],
] as const)("with %s, a terminal %s and %j there are colours: %s", (wish, isTerminal, env, is) => {
  expect(hasColours({ wish, isTerminal, environment: env })).toBe(is);
});

test.each([
  [["subscribe", "a"], "auto", ["subscribe", "a"]],
  [["--color", "subscribe", "a"], "always", ["subscribe", "a"]],
  [["subscribe", "--color=never", "a"], "never", ["subscribe", "a"]],
  [["subscribe", "a", "--no-color"], "never", ["subscribe", "a"]],
  [["call", "--", "--color"], "auto", ["call", "--", "--color"]],
  [["call", "--colors"], "auto", ["call", "--colors"]],
] as const)("%j wants %s", (args, wish, rest) => {
  expect(takeColourWish(args)).toEqual({ args: rest, wish });
});

test("another word than always, auto and never is no wish", () => {
  expect(takeColourWish(["--color=blue"])).toBeUndefined();
});

test("plain text stays as it is, and every other style ends where the text does", () => {
  expect(painted("a", "plain")).toBe("a");
  expect(painted("", "bad")).toBe("");
  expect(painted("a", "bad")).toBe("\u001b[31ma\u001b[0m");
});

test("help has its titles and names in colours, and the same text", () => {
  const help =
    "Usage: tickwire x\n\nDoes it.\n\nOptions:\n  --json     as JSON\n             more\n";
  const inColours = paintedHelp(help);
  expect(inColours).toContain("\u001b[1mUsage:\u001b[0m tickwire x");
  expect(inColours).toContain("\u001b[1mOptions:\u001b[0m");
  expect(inColours).toContain("  \u001b[36m--json\u001b[0m     as JSON");
  // oxlint-disable-next-line no-control-regex -- what colours are made of
  expect(inColours.replaceAll(/\u001b\[\d+m/g, "")).toBe(help);
});
