import { expect, test } from "vitest";
import { incrementsOf, listInstruments, spotPair } from "./listed-instruments.ts";

test("the first entry with a symbol has it; others, and what cannot be read, are counted", () => {
  const { instruments, skipped } = listInstruments(["a", 5, "b", "a2"], (entry) =>
    typeof entry === "string"
      ? spotPair("somewhere", entry, { base: entry.slice(0, 1), quote: "USD" })
      : undefined,
  );
  expect(instruments).toStrictEqual([
    {
      venue: "somewhere",
      symbol: "a-USD",
      venueSymbol: "a",
      kind: "spot",
      base: "a",
      quote: "USD",
      settle: "USD",
      inverse: false,
    },
    expect.objectContaining({ symbol: "b-USD", venueSymbol: "b" }),
  ]);
  expect(skipped).toBe(2);
});

test.each([
  [
    { price: "0.010", size: "1e-6" },
    { priceIncrement: "0.01", sizeIncrement: "0.000001" },
  ],
  [{ price: "0.5" }, { priceIncrement: "0.5" }],
  [{ price: "0.00", size: "one" }, {}],
  [{}, {}],
])("the steps listed as %j are %j", (listed, increments) => {
  expect(incrementsOf(listed)).toStrictEqual(increments);
});
