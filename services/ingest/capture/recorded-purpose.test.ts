import { expect, test } from "vitest";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { FAKE_VENUE, fakeInstrument } from "#test/support/fake-feed.ts";
import { purposeOfRecorded } from "./recorded-purpose.ts";

const A = fakeInstrument("A");
const PART = { ...fakeInstrument("B"), venueMarket: "part" };

function catalogOf(): InstrumentCatalog {
  const catalog = new InstrumentCatalog({ venue: FAKE_VENUE, instrumentsMax: 10 });
  catalog.add([A, PART]);
  return catalog;
}

test("a recorded request is about the catalog's own instrument", () => {
  const catalog = catalogOf();
  const { venueSymbol } = A;
  const part = { venueSymbol: PART.venueSymbol, venueMarket: "part" };
  expect(purposeOfRecorded({ kind: "book-snapshot", venueSymbol }, catalog)).toEqual({
    kind: "book-snapshot",
    channel: "book",
    instrument: A,
  });
  expect(purposeOfRecorded({ kind: "trades", ...part }, catalog)).toEqual({
    kind: "trades",
    channel: "trades",
    instrument: PART,
  });
  const poll = { kind: "poll", channel: "ticker" } as const;
  expect(purposeOfRecorded({ ...poll, venueSymbol }, catalog)).toEqual({ ...poll, instrument: A });
});

test("a poll may be about all instruments; one about an unknown instrument is about none", () => {
  const catalog = catalogOf();
  const poll = { kind: "poll", channel: "ticker" } as const;
  const all = purposeOfRecorded({ ...poll, venueSymbol: undefined }, catalog);
  expect(all).toEqual({ ...poll, instrument: undefined });
  expect(purposeOfRecorded({ ...poll, venueSymbol: "Z" }, catalog)).toBeUndefined();
  expect(purposeOfRecorded({ kind: "trades", venueSymbol: "Z" }, catalog)).toBeUndefined();
});
