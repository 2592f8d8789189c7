import type { Instrument } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import { nearestSymbols } from "./nearest-names.ts";
import { explainUnknown } from "./unknown-name.ts";
import type { UnknownName } from "./unknown-name.ts";

const SYMBOLS = [
  "AVAX-USDT",
  "BTC-EUR",
  "BTC-USD",
  "BTC-USDC",
  "BTC-USDT",
  "ETH-USD",
  "SOL-USDT",
  "SOL-USDT-PERP",
];

const instruments = SYMBOLS.map((symbol) => {
  const venueSymbol = symbol.replace("-", "").toLowerCase();
  const [base = ""] = symbol.split("-");
  return { venue: "one", symbol, venueSymbol, base } as Instrument;
});

let looked = 0;
const index = {
  venues: ["one", "two"],
  find: (_venue: string, name: string) => {
    looked += 1;
    return instruments.find(({ symbol, venueSymbol }) => symbol === name || venueSymbol === name);
  },
  instrumentsOf: () => instruments,
  standingOf: () => "listed" as const,
};

describe("the nearest symbols", () => {
  test.each([
    ["sol-usdt", "SOL-USDT"],
    ["SOLUSDT", "SOL-USDT"],
    ["SOL_USDT", "SOL-USDT"],
    ["SOL-UDST", "SOL-USDT"],
    ["OSL-USDT", "SOL-USDT"],
    ["SOL-USDTX", "SOL-USDT"],
    ["SO-USDT", "SOL-USDT"],
    ["SXL-USDT", "SOL-USDT"],
    ["AVAX-EUR", "AVAX-USDT"],
    ["SOL", "SOL-USDT"],
    ["SOLBUSD", "SOL-USDT"],
  ])("to %s begin with %s", (wanted, nearest) => {
    expect(nearestSymbols(index, "one", wanted)[0]).toBe(nearest);
  });

  test("are a few at most, in the order of the search", () => {
    expect(nearestSymbols(index, "one", "BTC-USDX")).toEqual(["BTC-USD", "BTC-USDC", "BTC-USDT"]);
    expect(nearestSymbols(index, "one", "BTC")).toHaveLength(3);
  });

  test.each(["DOGE-JPY", "X", "", "€"])("to %j are none", (wanted) => {
    expect(nearestSymbols(index, "one", wanted)).toEqual([]);
  });

  test("are not looked for where the name is longer than names are", () => {
    looked = 0;
    expect(nearestSymbols(index, "one", "X".repeat(33))).toEqual([]);
    expect(looked).toBe(0);
    nearestSymbols(index, "one", "X".repeat(32));
    expect(looked).toBeGreaterThan(0);
  });
});

test("the nearest symbols are looked for among the first 5,000 instruments", () => {
  const many = Array.from(
    { length: 5_001 },
    (_, at) => ({ symbol: `S${at}`, base: "" }) as Instrument,
  );
  const nearest = (wanted: string) =>
    nearestSymbols({ find: () => undefined, instrumentsOf: () => many }, "one", wanted);
  expect(nearest("S49999")).toEqual(["S4999"]);
  expect(nearest("S50000")).toEqual([]);
});

describe("the explanation", () => {
  const explain = (unknown: UnknownName, suggests = true) =>
    explainUnknown(index, unknown, { suggests });

  test("of an unknown venue names those that there are", () => {
    expect(explain({ kind: "unknown-venue", venue: "on" })).toEqual({
      message: "there is no venue on here; there are one, two",
      alternatives: ["one", "two"],
    });
  });

  test("of an unknown symbol names the nearest, if they are wanted", () => {
    const unknown = { kind: "unknown-symbol", venue: "one", symbol: "ETHUSD" } as const;
    expect(explain(unknown)).toEqual({
      message: "one has no ETHUSD here; the nearest is ETH-USD",
      alternatives: ["ETH-USD"],
    });
    expect(explain(unknown, false)).toEqual({
      message: "one has no ETHUSD here",
      alternatives: [],
    });
  });

  test("of an unknown channel names those that there are", () => {
    const channels = ["trades", "book"] as const;
    expect(
      explain({ kind: "unknown-channel", of: "one:ETH-USD", channel: "foo", channels }),
    ).toEqual({
      message: "one:ETH-USD has no channel foo; there are trades, book",
      alternatives: ["trades", "book"],
    });
  });

  test("shows what is asked for as visible text of a bounded length", () => {
    const venue = `\u001b[31m${"x".repeat(300)}`;
    const { message } = explain({ kind: "unknown-venue", venue });
    expect(message).not.toContain("\u001b");
    expect(message.length).toBeLessThan(200);
  });
});
