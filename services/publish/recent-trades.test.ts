import { expect, test } from "vitest";
import type { AggressorSide, Trade } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { createPrng } from "#test/support/prng.ts";
import { RecentTrades } from "./recent-trades.ts";

const instrument = fakeInstrument("A");

function trade(fields: Partial<Trade> = {}): Trade {
  return {
    kind: "trade",
    instrument,
    venueTimeUs: 1_700_000_000_000_001,
    receivedTimeUs: 1_700_000_000_000_002,
    priceMantissa: 6_180_020,
    priceScale: 2,
    sizeMantissa: 11,
    sizeScale: 3,
    aggressorSide: "buyer",
    tradeId: "5266583938",
    historical: false,
    ...fields,
  };
}

const kept = (trades: RecentTrades) =>
  Array.from({ length: trades.length }, (_, index) => trades.at(index));

test("trades come back as they were given, whatever they hold", () => {
  const trades = new RecentTrades({ capacity: 1_000 });
  const given = [
    trade(),
    trade({ venueTimeUs: undefined, aggressorSide: "seller", historical: true }),
    trade({ tradeId: "", aggressorSide: "none" }),
    trade({ tradeId: "b2f1c7d0-0c0e-4b8a" }),
    trade({ tradeId: "007" }),
    trade({ tradeId: "18446744073709551615" }),
    trade({ priceMantissa: 2n ** 60n }),
    trade({ sizeMantissa: 2n ** 70n, sizeScale: 18 }),
    trade({ priceMantissa: -5 }),
    trade({ priceScale: 300 }),
  ];
  for (const [index, each] of given.entries()) trades.push(each, index + 1);
  expect(kept(trades)).toStrictEqual(
    given.map((each, index) => ({ sequence: index + 1, trade: each })),
  );
});

test("the last ones are kept, and nothing of those whose place they take", () => {
  const trades = new RecentTrades({ capacity: 20 });
  const given: { sequence: number; trade: Trade }[] = [];
  const prng = createPrng(2);
  const sides: readonly AggressorSide[] = ["none", "buyer", "seller"];
  for (let sequence = 1; sequence <= 500; sequence += 1) {
    const each = trade({
      tradeId: prng.chance(0.5) ? String(sequence) : `t-${sequence}`,
      priceMantissa: prng.chance(0.2) ? 2n ** 60n + BigInt(sequence) : sequence,
      aggressorSide: prng.pick(sides),
      historical: prng.chance(0.3),
      venueTimeUs: prng.chance(0.3) ? undefined : sequence,
    });
    trades.push(each, sequence);
    given.push({ sequence, trade: each });
    expect(kept(trades)).toStrictEqual(given.slice(-20));
  }
});

test("as many as may be kept are, also where their ids are long texts", () => {
  // The lengths of a UUID, and of the longest text that a page takes.
  for (const length of [36, 127]) {
    const capacity = 1_000;
    const trades = new RecentTrades({ capacity });
    for (let sequence = 1; sequence <= 2 * capacity; sequence += 1) {
      trades.push(trade({ tradeId: `t${sequence}`.padEnd(length, "-") }), sequence);
    }
    const sequences = kept(trades).map(({ sequence }) => sequence);
    expect(sequences).toStrictEqual(Array.from({ length: capacity }, (_, at) => capacity + 1 + at));
  }
});

test("what is not kept is not given", () => {
  const trades = new RecentTrades({ capacity: 2 });
  trades.push(trade(), 1);
  expect(() => trades.at(1)).toThrow("what is asked for is kept");
  expect(() => trades.at(-1)).toThrow("what is asked for is kept");
  expect(() => trades.push(trade({ instrument: fakeInstrument("B") }), 2)).toThrow(
    "the trades of a topic are of one instrument",
  );
});

test.each([
  ["a mantissa of 2^51", { priceMantissa: 2 ** 51, sizeMantissa: -(2 ** 51) }],
  ["a mantissa above 2^51", { priceMantissa: 2 ** 51 + 1, sizeMantissa: -(2 ** 51) - 1 }],
  ["times of either sign", { receivedTimeUs: -(2 ** 51), venueTimeUs: 2 ** 51 }],
  ["a time that is later than all", { venueTimeUs: 2 ** 53 - 1 }],
  ["a scale of 255", { priceScale: 255, sizeScale: 255 }],
  ["a scale of 256", { priceScale: 256, sizeScale: 0 }],
  ["an id of 127 letters", { tradeId: "x".repeat(127) }],
  ["an id of 128 letters", { tradeId: "x".repeat(128) }],
  ["an id of other letters", { tradeId: "é" }],
  ["the longest id that is counted", { tradeId: "999999999999999" }],
])("a trade with %s comes back as it was given, and so do those around it", (_, fields) => {
  const trades = new RecentTrades({ capacity: 1_000 });
  const given = Array.from({ length: 60 }, (_each, index) =>
    index % 3 === 0 ? trade(fields) : trade({ priceMantissa: index, tradeId: String(index) }),
  );
  for (const [index, each] of given.entries()) trades.push(each, index + 1);
  expect(kept(trades).map((each) => each.trade)).toStrictEqual(given);
});
