import { expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { CHANGES_KEPT_MAX, StreamedInstruments } from "./streamed-instruments.ts";

const a = fakeInstrument("A");
const b = fakeInstrument("B");

test("an instrument has the channels that were added, in order, and always its status", () => {
  const streamed = new StreamedInstruments();
  streamed.add([
    { instrument: b, channel: "trades" },
    { instrument: a, channel: "book" },
    { instrument: b, channel: "quotes" },
  ]);
  expect(streamed.page("", 9).instruments).toEqual([
    { instrument: a, channels: ["status", "book"], candleIntervalsMs: [] },
    { instrument: b, channels: ["status", "trades", "quotes"], candleIntervalsMs: [] },
  ]);
});

test("candles have the lengths that were added, rising, and others none", () => {
  const streamed = new StreamedInstruments();
  streamed.add(
    [
      { instrument: a, channel: "candles" },
      { instrument: b, channel: "trades" },
    ],
    [300_000, 60_000],
  );
  expect(
    streamed.page("", 9).instruments.map(({ candleIntervalsMs }) => candleIntervalsMs),
  ).toEqual([[60_000, 300_000], []]);
  const { version } = streamed;
  streamed.add([{ instrument: a, channel: "candles" }], [60_000]);
  expect(streamed.version).toBe(version);
  streamed.add([{ instrument: a, channel: "candles" }], [1_000]);
  expect(streamed.version).toBe(version + 1);
  expect([streamed.hasCandles(a, 1_000), streamed.hasCandles(a, 2_000)]).toEqual([true, false]);
  expect(streamed.hasCandles(b, 60_000)).toBe(false);
});

test("what expects more is complete when it is said, and that is a change", () => {
  let changes = 0;
  const streamed = new StreamedInstruments({
    onChange: () => {
      changes += 1;
    },
  });
  expect(streamed.complete).toBe(true);
  streamed.expectMore();
  expect([streamed.complete, streamed.version, changes]).toEqual([false, 0, 0]);
  streamed.completed();
  streamed.completed();
  expect([streamed.complete, streamed.version, changes]).toEqual([true, 1, 1]);
});

test("an instrument is found by its symbol, a channel by its instrument", () => {
  const streamed = new StreamedInstruments();
  streamed.add([{ instrument: a, channel: "book" }]);
  expect(streamed.bySymbol("A")).toBe(a);
  expect(streamed.bySymbol("B")).toBeUndefined();
  expect([streamed.has(a, "book"), streamed.has(a, "status")]).toEqual([true, true]);
  expect([streamed.has(a, "trades"), streamed.has(b, "book")]).toEqual([false, false]);
});

test("the version rises with what is new, and is told once an addition", () => {
  const versions: number[] = [];
  const streamed: StreamedInstruments = new StreamedInstruments({
    onChange: () => versions.push(streamed.version),
  });
  expect(streamed.version).toBe(0);
  streamed.add([
    { instrument: a, channel: "book" },
    { instrument: a, channel: "trades" },
  ]);
  streamed.add([{ instrument: a, channel: "book" }]);
  streamed.add([]);
  streamed.add([{ instrument: a, channel: "quotes" }]);
  expect(versions).toEqual([2, 3]);
});

test.each([
  ["", 2, ["A-USD", "B-USD"], true],
  ["A-USD", 2, ["B-USD", "C-USD"], false],
  ["AA", 5, ["B-USD", "C-USD"], false],
  ["C-USD", 5, [], false],
])("behind %j the next %i by symbol are %j", (after, countMax, symbols, more) => {
  const streamed = new StreamedInstruments();
  for (const symbol of ["C-USD", "A-USD", "B-USD"]) {
    streamed.add([{ instrument: fakeInstrument(symbol), channel: "book" }]);
  }
  const page = streamed.page(after, countMax);
  expect(page.instruments.map(({ instrument }) => instrument.symbol)).toEqual(symbols);
  expect(page.more).toBe(more);
});

test("what comes, changes and goes is told of each, and once of all", () => {
  const told: string[] = [];
  const streamed = new StreamedInstruments({
    onChange: () => told.push("change"),
    onListing: ({ instrument, change, reason }) =>
      told.push(`${instrument.symbol} ${change} ${reason}`),
  });
  streamed.add([
    { instrument: a, channel: "book" },
    { instrument: b, channel: "book" },
  ]);
  streamed.add([{ instrument: a, channel: "trades" }]);
  streamed.update([a, b], "state");
  streamed.remove([b], "delisted");
  streamed.remove([b], "delisted");
  streamed.update([b], "state");
  expect(told).toEqual([
    "A added listed",
    "B added listed",
    "change",
    "A changed channels",
    "change",
    "A changed state",
    "B changed state",
    "change",
    "B removed delisted",
    "change",
  ]);
  expect([streamed.size, streamed.bySymbol("B"), streamed.has(b, "book")]).toEqual([
    1,
    undefined,
    false,
  ]);
});

test("a difference has what came, changed and went since a version, in pages", () => {
  const streamed = new StreamedInstruments();
  const c = fakeInstrument("C");
  for (const instrument of [a, b]) streamed.add([{ instrument, channel: "book" }]);
  const { version } = streamed;
  expect(streamed.differenceSince(version, "", 9)).toEqual({
    instruments: [],
    removedSymbols: [],
    more: false,
  });
  streamed.remove([b], "delisted");
  streamed.add([{ instrument: c, channel: "book" }]);
  streamed.update([a], "state");
  const first = streamed.differenceSince(version, "", 2);
  expect(first?.instruments.map(({ instrument }) => instrument.symbol)).toEqual(["A"]);
  expect([first?.removedSymbols, first?.more]).toEqual([["B"], true]);
  const second = streamed.differenceSince(version, "B", 2);
  expect(second?.instruments.map(({ instrument }) => instrument.symbol)).toEqual(["C"]);
  expect([second?.removedSymbols, second?.more]).toEqual([[], false]);
});

test("what changed longer ago than is kept is no difference, nor is a version to come", () => {
  const streamed = new StreamedInstruments();
  streamed.add([{ instrument: a, channel: "book" }]);
  const { version } = streamed;
  for (let index = 0; index < CHANGES_KEPT_MAX - 1; index += 1) {
    streamed.add([{ instrument: fakeInstrument(`S${index}`), channel: "book" }]);
  }
  expect(streamed.differenceSince(version, "", 9)).toBeDefined();
  expect(streamed.differenceSince(0, "", 9)).toBeDefined();
  streamed.add([{ instrument: b, channel: "book" }]);
  expect(streamed.differenceSince(0, "", 9)).toBeUndefined();
  expect(streamed.differenceSince(version, "", 9)).toBeDefined();
  expect(streamed.differenceSince(streamed.version + 1, "", 9)).toBeUndefined();
});
