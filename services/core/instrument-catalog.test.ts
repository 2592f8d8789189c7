import { describe, expect, test } from "vitest";
import type { Instrument } from "./instrument.ts";
import { InstrumentCatalog } from "./instrument-catalog.ts";

function spot(venueSymbol: string, symbol: string = `${venueSymbol}-X`): Instrument {
  return {
    venue: "venue",
    symbol,
    venueSymbol,
    kind: "spot",
    base: venueSymbol,
    quote: "X",
    settle: "X",
    inverse: false,
  };
}

function catalogOf(
  instruments: readonly Instrument[],
  options: {
    instrumentsMax?: number;
    derive?: (venueSymbol: string) => Instrument | undefined;
  } = {},
): InstrumentCatalog {
  const catalog = new InstrumentCatalog({ venue: "venue", instrumentsMax: 10, ...options });
  catalog.add(instruments);
  return catalog;
}

describe("InstrumentCatalog", () => {
  test("finds an instrument by either symbol, always as the same object", () => {
    const a = spot("A");
    const catalog = catalogOf([a, spot("B")]);
    expect(catalog.byVenueSymbol("A")).toBe(a);
    expect(catalog.bySymbol("A-X")).toBe(a);
    expect(catalog.add([spot("A")])).toEqual({ added: 0, updated: 0, rejected: 0 });
    expect(catalog.byVenueSymbol("A")).toBe(a);
    expect(catalog.all()).toEqual([a, spot("B")]);
    expect(catalog.byVenueSymbol("C")).toBeUndefined();
    expect(catalog.bySymbol("A")).toBeUndefined();
  });

  test("two venue symbols never share a symbol, nor two symbols a venue symbol", () => {
    const catalog = catalogOf([spot("A", "S"), spot("B", "T")]);
    const conflicts = [spot("C", "S"), spot("A", "U"), spot("A", "T"), spot("B", "S")];
    expect(catalog.add(conflicts)).toEqual({ added: 0, updated: 0, rejected: 4 });
    expect(catalog.rejectedTotal).toBe(4);
    expect(catalog.all().map(({ venueSymbol, symbol }) => [venueSymbol, symbol])).toEqual([
      ["A", "S"],
      ["B", "T"],
    ]);
  });

  test("refuses other venues and symbols that no topic could name", () => {
    const catalog = catalogOf([]);
    const wrong = [
      { ...spot("A"), venue: "elsewhere" },
      spot("A", ""),
      spot("A", "a b"),
      spot("A", "a/b"),
      spot("A", "a:b"),
      spot("A", "*"),
      spot("", "S"),
      spot("half \ud800", "S"),
      spot("two\nlines", "S"),
      spot("x".repeat(129), "S"),
    ];
    expect(catalog.add(wrong)).toEqual({ added: 0, updated: 0, rejected: wrong.length });
    expect(catalog.size).toBe(0);
  });

  test("takes over new details in place and says that something changed", () => {
    const a = spot("A");
    const catalog = catalogOf([a]);
    const version = catalog.version;
    expect(catalog.add([{ ...spot("A"), priceIncrement: "0.01" }])).toEqual({
      added: 0,
      updated: 1,
      rejected: 0,
    });
    expect(catalog.byVenueSymbol("A")).toBe(a);
    expect(a.priceIncrement).toBe("0.01");
    expect(catalog.version).toBe(version + 1);
    catalog.add([spot("A")]);
    expect(catalog.version).toBe(version + 1);
    expect(a.priceIncrement).toBe("0.01");
  });

  test.each([
    [2, 0],
    [3, 0],
    [4, 1],
  ])("of %i instruments in a catalog for 3 it rejects %i", (count, rejected) => {
    const catalog = catalogOf([], { instrumentsMax: 3 });
    const instruments = ["A", "B", "C", "D"].slice(0, count).map((name) => spot(name));
    expect(catalog.add(instruments).rejected).toBe(rejected);
    expect(catalog.size).toBe(Math.min(count, 3));
    expect(catalog.isFull).toBe(count >= 3);
  });

  test("keeps apart what two parts of a venue call the same", () => {
    const pair = spot("A", "X-Y");
    const perpetual = { ...spot("A", "X-Y-PERP"), venueMarket: "linear" };
    const catalog = catalogOf([pair, perpetual]);
    expect(catalog.byVenueSymbol("A")).toBe(pair);
    expect(catalog.byVenueSymbol("A", "linear")).toBe(perpetual);
    expect(catalog.byVenueSymbol("A", "inverse")).toBeUndefined();
    expect(catalog.allByVenueSymbol("A")).toEqual([pair, perpetual]);
    expect(catalog.add([{ ...pair, venueMarket: "linear" }]).rejected).toBe(1);
  });

  test("derives what it does not know, once, within the limit", () => {
    const asked: string[] = [];
    const catalog = catalogOf([spot("A")], {
      instrumentsMax: 2,
      derive: (venueSymbol) => {
        asked.push(venueSymbol);
        return venueSymbol === "?" ? undefined : spot(venueSymbol);
      },
    });
    expect(catalog.byVenueSymbol("?")).toBeUndefined();
    const b = catalog.byVenueSymbol("B");
    expect(b).toEqual(spot("B"));
    expect(catalog.byVenueSymbol("B")).toBe(b);
    expect(catalog.bySymbol("B-X")).toBe(b);
    expect(catalog.byVenueSymbol("C")).toBeUndefined();
    expect(asked).toEqual(["?", "B"]);
    expect(catalog.rejectedTotal).toBe(1);
  });

  test("a derivation that would share a symbol yields nothing", () => {
    const catalog = catalogOf([spot("A", "S")], { derive: (name) => spot(name, "S") });
    expect(catalog.byVenueSymbol("B")).toBeUndefined();
    expect(catalog.rejectedTotal).toBe(1);
  });
});
