import type { Instrument } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import type { Catalog } from "../catalog/catalog.ts";
import { requireAtMost, requireInstrument } from "./request-checks.ts";

const KNOWN = { venue: "fake", symbol: "A-USD", venueSymbol: "AUSD" } as Instrument;
const catalog = {
  find: (venue: string, symbol: string) =>
    venue === "fake" && [KNOWN.symbol, KNOWN.venueSymbol].includes(symbol) ? KNOWN : undefined,
} as unknown as Catalog;

describe("the instrument of a request", () => {
  test.each(["A-USD", "AUSD"])("is found by our symbol or the venue's: %s", (symbol) => {
    expect(requireInstrument(catalog, { venue: "fake", symbol })).toBe(KNOWN);
  });

  test.each([
    ["", "A-USD", "invalid_argument", "venue is empty"],
    ["fake", "", "invalid_argument", "symbol is empty"],
    ["fake", "B-USD", "not_found", "no instrument B-USD at fake"],
    ["other", "A-USD", "not_found", "no instrument A-USD at other"],
  ])("%j %j is %s: %s", (venue, symbol, code, message) => {
    expect(() => requireInstrument(catalog, { venue, symbol })).toThrow(
      expect.objectContaining({ code, message }),
    );
  });
});

test("a number above its limit is refused with both", () => {
  expect(() => requireAtMost("limit", 10, 10)).not.toThrow();
  expect(() => requireAtMost("limit", 11, 10)).toThrow("limit 11 exceeds 10");
});
