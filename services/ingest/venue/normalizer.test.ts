import { describe, expect, test } from "vitest";
import type { Quote, Trade } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import type { RawBook } from "../feed/feed-adapter.ts";
import { areTimesSane, rejectionOf } from "./normalizer.ts";
import { VenueClock } from "./venue-clock.ts";

const NOW_US = 1_700_000_000_000_000;
const base = { instrument: fakeInstrument("A"), venueTimeUs: NOW_US, receivedTimeUs: NOW_US };

function trade(fields: Partial<Trade>): Trade {
  return {
    kind: "trade",
    ...base,
    priceScale: 0,
    sizeScale: 0,
    tradeId: "1",
    historical: false,
    priceMantissa: 1,
    sizeMantissa: 1,
    aggressorSide: "buyer",
    ...fields,
  };
}

function quote(
  bid: number | bigint,
  bidSize: number,
  ask: number | bigint,
  askSize: number,
): Quote {
  return {
    kind: "quote",
    ...base,
    priceScale: 0,
    sizeScale: 0,
    bidPriceMantissa: bid,
    bidSizeMantissa: bidSize,
    askPriceMantissa: ask,
    askSizeMantissa: askSize,
  };
}

function book(price: number | bigint, size: number | bigint): RawBook {
  return {
    kind: "raw-book",
    ...base,
    snapshot: false,
    source: "in-band",
    checksum: undefined,
    firstUpdateId: 1,
    lastUpdateId: 1,
    previousUpdateId: undefined,
    priceScale: 0,
    sizeScale: 0,
    bids: {
      prices: [],
      sizes: [],
    },
    asks: {
      prices: [5, price],
      sizes: [1, size],
    },
  };
}

describe("what is not used", () => {
  test.each([
    [trade({}), undefined],
    [trade({ sizeMantissa: 0 }), "non-positive-size"],
    [trade({ sizeMantissa: -1 }), "non-positive-size"],
    [trade({ sizeMantissa: Number.NaN }), "non-positive-size"],
    [trade({ sizeMantissa: 2n ** 60n }), undefined],
    [trade({ priceMantissa: 0 }), "non-positive-price"],
    [trade({ priceMantissa: -(2n ** 60n) }), "non-positive-price"],
    [quote(99, 1, 100, 1), undefined],
    [quote(100, 1, 100, 1), undefined],
    [quote(101, 1, 100, 1), undefined],
    [quote(2n ** 60n, 1, 100, 1), undefined],
    [quote(99, -1, 100, 1), "negative-size"],
    [quote(0, 1, 100, 1), "non-positive-price"],
    [quote(0, 0, 100, 1), undefined],
    [quote(101, 1, 0, 0), undefined],
    [book(6, 0), undefined],
    [book(6, -1), "negative-size"],
    [book(6, Number.NaN), "negative-size"],
    [book(0, 1), "non-positive-price"],
    [book(2n ** 60n, 2n ** 60n), undefined],
  ] as const)("%#: %o", (event, reason) => {
    expect(rejectionOf(event)).toBe(reason);
  });

  test.each([
    [trade({ priceMantissa: 0 }), undefined],
    [trade({ priceMantissa: -(2n ** 60n) }), undefined],
    [trade({ priceMantissa: Number.NaN }), "non-positive-price"],
    [trade({ priceMantissa: -1, sizeMantissa: 0 }), "non-positive-size"],
    [quote(-101, 1, -100, 1), undefined],
    [quote(0, 1, 0, 1), undefined],
    [quote(-100, 1, 0, 0), undefined],
    [quote(-100, 1, -101, 1), undefined],
    [quote(0, 1, -1, 1), undefined],
    [book(-6, 1), undefined],
    [book(0, 1), undefined],
    [book(Number.NaN, 1), "non-positive-price"],
    [book(-6, -1), "negative-size"],
  ] as const)("of a combo, %#: %o", (event, reason) => {
    const instrument = { ...event.instrument, kind: "combo" } as const;
    expect(rejectionOf({ ...event, instrument })).toBe(reason);
  });

  test("a rate below zero is a rate", () => {
    const funding = { kind: "funding", ...base, rate: "-0.0001" } as const;
    const rest = { nextFundingTimeUs: undefined, intervalMs: undefined };
    expect(rejectionOf({ ...funding, ...rest })).toBeUndefined();
  });
});

test("a time that is absent is sane, one that could not be read is not", () => {
  const clock = new VenueClock(() => {});
  expect(areTimesSane(trade({ venueTimeUs: undefined }), clock)).toBe(true);
  expect(areTimesSane(trade({ venueTimeUs: Number.NaN }), clock)).toBe(false);
});
