import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TradeRow } from "@tickwire/proto/model";
import type { Candle } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { CandleBuilder, createBuilderCounters } from "./candle-builder.ts";

const INSTRUMENT = fakeInstrument("A-USD");
const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;
const HOUR_US = 60 * MINUTE_US;
/** Trades that come so late correct a closed candle. */
const CORRECTED_FOR_US = MINUTE_US;
/** 2026-01-05 00:00 UTC: an hour, a day and a minute begin. */
const START_US = 1_767_571_200_000_000;

function create(intervalsMs: readonly number[] = [60_000], graceMs = 1_000) {
  const told: Candle[] = [];
  const counters = createBuilderCounters();
  const emit = (candle: Candle): void => void told.push(candle);
  const builder = new CandleBuilder(
    { instrument: INSTRUMENT, intervalsMs, graceMs, emit },
    counters,
  );
  /** What is told last of each candle. */
  const last = (): Map<string, Candle> =>
    new Map(told.map((each) => [`${each.intervalMs} ${each.openTimeUs}`, each]));
  return { builder, told, counters, last };
}

function trade(atUs: number, price: string, size = "1", lagUs = 0): TradeRow {
  const scaled = (text: string): readonly [number, number] => {
    const scale = text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
    return [Math.round(Number(text) * 10 ** scale), scale];
  };
  const [[priceMantissa, priceScale], [sizeMantissa, sizeScale]] = [scaled(price), scaled(size)];
  return {
    venueTimeUs: START_US + atUs,
    receivedTimeUs: START_US + atUs + lagUs,
    priceMantissa,
    priceScale,
    sizeMantissa,
    sizeScale,
    aggressorSide: "buyer",
    tradeId: "",
    historical: false,
  };
}

const shown = ({ openTimeUs, open, high, low, close, volume, closed, incomplete }: Candle) => {
  const marks = `${closed ? " closed" : ""}${incomplete === true ? " incomplete" : ""}`;
  return `${(openTimeUs - START_US) / MINUTE_US} ${open} ${high} ${low} ${close} ${volume}${marks}`;
};

test("a candle has the first and last price, the highest and lowest, and all sizes", () => {
  const { builder, told } = create();
  for (const [at, price, size] of [
    [1, "10", "1"],
    [2, "12.5", "0.25"],
    [3, "9", "2"],
    [4, "11", "0.5"],
  ] as const) {
    builder.take(trade(at * SECOND_US, price, size));
  }
  builder.tell(START_US + 5 * SECOND_US);
  expect(told.map(shown)).toEqual(["0 10 12.5 9 11 3.75"]);
  expect(told[0]).toMatchObject({ quoteVolume: "36.625", tradeCount: 4, built: true });
});

describe("a candle is closed", () => {
  test("when its time and a grace are over, though nothing trades", () => {
    const { builder, told } = create();
    builder.take(trade(SECOND_US, "10"));
    builder.tell(START_US + SECOND_US);
    builder.tell(START_US + MINUTE_US + SECOND_US - 1);
    expect(told.map(shown)).toEqual(["0 10 10 10 10 1"]);
    builder.tell(START_US + MINUTE_US + SECOND_US);
    builder.tell(START_US + 2 * MINUTE_US);
    expect(told.map(shown)).toEqual(["0 10 10 10 10 1", "0 10 10 10 10 1 closed"]);
  });

  test("by the venue's clock, as its trades show it", () => {
    const { builder, told } = create();
    builder.take(trade(SECOND_US, "10", "1", 5 * SECOND_US));
    builder.tell(START_US + MINUTE_US + 6 * SECOND_US - 1);
    expect(told.map(({ closed }) => closed)).toEqual([false]);
    builder.tell(START_US + MINUTE_US + 6 * SECOND_US);
    expect(told.map(({ closed }) => closed)).toEqual([false, true]);
  });

  test("and told once more with what came late, but not for ever", () => {
    const { builder, told, counters } = create();
    builder.take(trade(SECOND_US, "10"));
    builder.tell(START_US + 62 * SECOND_US);
    builder.take(trade(2 * SECOND_US, "12", "1", 62 * SECOND_US));
    builder.take(trade(62 * SECOND_US, "11"));
    builder.tell(START_US + 63 * SECOND_US, false);
    expect(told.map(shown)).toEqual(["0 10 10 10 10 1 closed", "0 10 12 10 12 2 closed"]);
    builder.tell(START_US + MINUTE_US + SECOND_US + CORRECTED_FOR_US);
    builder.take(trade(3 * SECOND_US, "99"));
    expect(counters).toMatchObject({ tradesTooLate: 1, candlesClosed: 2, candlesCorrected: 1 });
  });
});

test("candles under way are told where that is wanted, closed ones always", () => {
  const { builder, told } = create();
  builder.take(trade(SECOND_US, "10"));
  builder.tell(START_US + SECOND_US, false);
  expect(told).toEqual([]);
  builder.tell(START_US + 2 * MINUTE_US, false);
  expect(told.map(shown)).toEqual(["0 10 10 10 10 1 closed"]);
});

test("candles about a time of which trades are missing are marked, and no others", () => {
  const { builder, last } = create([60_000, 3_600_000]);
  builder.take(trade(30 * SECOND_US, "10"));
  builder.take(trade(90 * SECOND_US, "11"));
  builder.lose(START_US + 100 * SECOND_US, START_US + 200 * SECOND_US);
  builder.take(trade(200 * SECOND_US, "12"));
  builder.take(trade(250 * SECOND_US, "13"));
  builder.tell(START_US + 260 * SECOND_US);
  const marks = [...last().values()].map((candle) => {
    return [candle.intervalMs, (candle.openTimeUs - START_US) / MINUTE_US, candle.incomplete];
  });
  expect(marks).toEqual([
    [60_000, 0, false],
    [60_000, 1, true],
    [60_000, 3, true],
    [60_000, 4, false],
    [3_600_000, 0, true],
  ]);
});

test("an hour whose beginning was missed is made whole of the venue's minutes and of what came since", () => {
  const { builder, last } = create([60_000, 3_600_000]);
  const joinedUs = 10 * MINUTE_US + 20 * SECOND_US;
  builder.lose(-Infinity, START_US + joinedUs);
  expect(builder.beginMending(START_US + 11 * MINUTE_US)).toBe(START_US);
  // Of the minute that was joined the venue's own counts.
  builder.take(trade(10 * MINUTE_US + 30 * SECOND_US, "50", "7"));
  builder.take(trade(11 * MINUTE_US, "20", "1"));
  builder.take(trade(12 * MINUTE_US, "21", "0.5"));
  const minutes = Array.from({ length: 11 }, (_, minute): Candle => ({
    kind: "candle",
    instrument: INSTRUMENT,
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    intervalMs: 60_000,
    openTimeUs: START_US + minute * MINUTE_US,
    open: String(10 + minute),
    high: "55.25",
    low: "5",
    close: "12",
    volume: "2",
    quoteVolume: "24",
    tradeCount: 3,
    closed: true,
  }));
  builder.mend(START_US + 11 * MINUTE_US, minutes);
  builder.tell(START_US + 13 * MINUTE_US);
  expect(last().get(`3600000 ${START_US}`)).toMatchObject({
    open: "10",
    high: "55.25",
    low: "5",
    close: "21",
    volume: "23.5",
    quoteVolume: "294.5",
    tradeCount: 35,
    incomplete: false,
  });
  expect(last().get(`60000 ${START_US + 10 * MINUTE_US}`)).toMatchObject({ incomplete: true });
});

test("a mended hour that began whole is left as it is", () => {
  const { builder, last } = create([3_600_000]);
  builder.take(trade(MINUTE_US, "20"));
  builder.beginMending(START_US + 2 * MINUTE_US);
  builder.mend(START_US + 2 * MINUTE_US, []);
  builder.tell(START_US + 3 * MINUTE_US);
  expect(last().get(`3600000 ${START_US}`)).toMatchObject({ volume: "1", incomplete: false });
});

test("candles are what their trades amount to, in whatever order those come", () => {
  const arbitrary = fc.record({
    atUs: fc.integer({ min: 0, max: 2 * 3_600 }).map((second) => second * SECOND_US),
    cents: fc.integer({ min: 1, max: 500 }),
    scale: fc.constantFrom(2, 2, 4),
    size: fc.integer({ min: 1, max: 1_000 }),
  });
  fc.assert(
    fc.property(fc.array(arbitrary, { minLength: 1, maxLength: 60 }), (trades) => {
      const intervalsMs = [1_000, 60_000, 3_600_000];
      const { builder, last } = create(intervalsMs);
      for (const { atUs, cents, scale, size } of trades) {
        const factor = 10 ** (scale - 2);
        builder.take({
          ...trade(atUs, "1"),
          priceMantissa: cents * factor,
          priceScale: scale,
          sizeMantissa: size * factor,
          sizeScale: scale,
        });
      }
      builder.tell(START_US + HOUR_US);
      const told = last();
      for (const intervalMs of intervalsMs) {
        const buckets = new Map<number, typeof trades>();
        for (const each of trades) {
          const open = Math.floor(each.atUs / 1_000 / intervalMs) * intervalMs * 1_000;
          buckets.set(open, [...(buckets.get(open) ?? []), each]);
        }
        for (const [open, all] of buckets) {
          // Stable: of equal times the one that came first stands first.
          const sorted = all.toSorted((one, other) => one.atUs - other.atUs);
          const cents = all.map((each) => each.cents);
          expect(told.get(`${intervalMs} ${START_US + open}`)).toMatchObject({
            open: String(sorted[0]!.cents / 100),
            close: String(sorted.at(-1)!.cents / 100),
            high: String(Math.max(...cents) / 100),
            low: String(Math.min(...cents) / 100),
            volume: String(all.reduce((sum, each) => sum + each.size, 0) / 100),
            quoteVolume: String(all.reduce((sum, each) => sum + each.size * each.cents, 0) / 1e4),
            tradeCount: all.length,
          });
        }
      }
    }),
    { numRuns: 150 },
  );
});
