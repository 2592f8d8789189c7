import { expect, test } from "vitest";
import { didYouMean, nearest, unknownText } from "./nearest.ts";

const VENUES = ["binance", "binance-usdm", "bitfinex", "coinbase", "kraken", "kraken-v1", "okx"];

test.each([
  ["krakne", ["kraken"]],
  ["Kraken", ["kraken", "kraken-v1"]],
  ["binanse", ["binance"]],
  ["coinbse", ["coinbase"]],
  ["usdm", ["binance-usdm"]],
  ["okz", ["okx"]],
  ["nothing-like-it", []],
  ["", []],
])("for %j it suggests %j", (text, expected) => {
  expect(nearest(text, VENUES)).toEqual(expected);
});

test("it is said in a sentence, and not at all where nothing is near", () => {
  expect(didYouMean("krakne", VENUES)).toBe("; did you mean kraken?");
  expect(didYouMean("binan", VENUES)).toBe("; did you mean binance or binance-usdm?");
  expect(didYouMean("zzzzzz", VENUES)).toBe("");
});

test("no more than three are suggested", () => {
  expect(nearest("AB", ["AB1", "AB2", "AB3", "AB4", "AB5"])).toHaveLength(3);
});

test("what there is is listed only where nothing is near", () => {
  const known = ["trades", "book"];
  expect(unknownText("channel", { text: "trade", known })).toBe(
    "there is no channel trade; did you mean trades?",
  );
  expect(unknownText("channel", { text: "nonsense", known })).toBe(
    "there is no channel nonsense; there are trades, book",
  );
});
