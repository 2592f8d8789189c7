import { expect, test } from "vitest";
import { ingestConfigSchema } from "../config.ts";
import { SIMULATED_MARKET_DEFAULTS } from "./simulated-settings.ts";

function problemsOf(venue: object): string[] {
  const result = ingestConfigSchema.safeParse({ venues: [{ id: "simulated", ...venue }] });
  return result.success ? [] : result.error.issues.map(({ message }) => message);
}

test.each([
  ["spot", ["BTC-USD", "SHIB-USD"], {}],
  ["a perpetual", ["SOL-USD-PERP"], {}],
  ["one of many", ["SIM042-USD"], { simulated: { instruments: 50 } }],
])("symbols that the simulated market lists are taken: %s", (_, instruments, rest) => {
  expect(problemsOf({ instruments, ...rest })).toEqual([]);
});

test("one that it does not list is refused in a sentence that says what there is", () => {
  expect(problemsOf({ instruments: ["BTC-USD", "FOO-USD"] })).toEqual([
    "the simulated market has no FOO-USD; it has BTC-USD, ETH-USD, SOL-USD, XRP-USD, ADA-USD, " +
      "LTC-USD, LINK-USD, DOGE-USD, AVAX-USD, SHIB-USD, USDT-USD, BTC-USDT, ETH-USDT and 23 more",
  ]);
  const [many] = problemsOf({ instruments: ["FOO-USD"], simulated: { instruments: 100 } });
  expect(many).toMatch(/, ETH-USDT and 93 more$/);
});

test("one that is nearly listed is told which", () => {
  expect(problemsOf({ instruments: ["BTC-UDS"] })).toEqual([
    "the simulated market has no BTC-UDS; did you mean BTC-USD or BTC-USDT?",
  ]);
});

test("what is quoted of a symbol is short and visible", () => {
  const [problem] = problemsOf({ instruments: [`\u001b[31m${"X".repeat(500)}`] });
  expect(problem).toContain(`no \\u001b[31m${"X".repeat(95)}…;`);
});

test("the market of an empty configuration is the natural one", () => {
  expect(SIMULATED_MARKET_DEFAULTS).toEqual({
    seed: 1,
    instruments: 30,
    perpetuals: 6,
    eventsPerSecond: 20,
    pace: "natural",
    bookLevels: 200,
    volatility: 1,
    haltIntervalMs: 600_000,
    listingIntervalMs: 900_000,
    chaos: {
      dropShare: 0,
      delayShare: 0,
      delayMs: 500,
      reorderShare: 0,
      crossedShare: 0,
      disconnectIntervalMs: 0,
      silenceIntervalMs: 0,
      silenceMs: 15_000,
    },
  });
});
