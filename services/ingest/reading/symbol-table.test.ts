import { expect, test } from "vitest";
import { fakeCatalog, fakeInstrument } from "#test/support/fake-feed.ts";
import { bytesOf } from "./frame-bytes.ts";
import { SymbolTable } from "./symbol-table.ts";

const find = <State>(table: SymbolTable<State>, name: string, around = "") =>
  table.find(bytesOf(around + name + around), around.length, around.length + name.length);

test("finds what is kept of an instrument by the bytes of its name", () => {
  const names = Array.from({ length: 300 }, (_, index) => `S${index}`);
  const catalog = fakeCatalog(names);
  const table = new SymbolTable<number>(catalog);
  for (const [index, instrument] of catalog.all().entries()) table.add(instrument, index);
  for (const [index, { venueSymbol }] of catalog.all().entries()) {
    expect(find(table, venueSymbol, '"')).toBe(index);
  }
  expect(find(table, "T1")).toBeUndefined();
  expect(find(table, "")).toBeUndefined();
});

test("does not find an instrument that is gone, and finds another one of its name", () => {
  const catalog = fakeCatalog(["A", "B"]);
  const table = new SymbolTable<string>(catalog);
  const [a] = catalog.all();
  const name = a!.venueSymbol;
  table.add(a!, "first");
  catalog.remove(a!);
  expect(find(table, name)).toBeUndefined();
  const again = fakeInstrument("A");
  catalog.add([again]);
  expect(find(table, name)).toBeUndefined();
  table.add(again, "second");
  expect(find(table, name)).toBe("second");
});

test("knows no name that is written otherwise than in plain ASCII", () => {
  const catalog = fakeCatalog(["A"]);
  const table = new SymbolTable<string>(catalog);
  table.add({ ...fakeInstrument("A"), venueSymbol: "Ä" }, "odd");
  expect(table.find(Buffer.from("Ä"), 0, 2)).toBeUndefined();
});
