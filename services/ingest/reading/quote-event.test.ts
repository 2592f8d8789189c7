import { describe, expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { quoteEvent } from "./quote-event.ts";
import { ScaleTracker } from "./scale-tracker.ts";

const SUBJECT = { instrument: fakeInstrument("A"), venueTimeUs: 5, receivedTimeUs: 6 };

test("both sides of a quote are at the scales of the finest text in it", () => {
  const bid = { price: "1.5", size: "2" };
  const ask = { price: "1.75", size: "0.3" };
  expect(quoteEvent(SUBJECT, new ScaleTracker(), bid, ask)).toEqual({
    kind: "quote",
    ...SUBJECT,
    priceScale: 2,
    sizeScale: 1,
    bidPriceMantissa: 150,
    bidSizeMantissa: 20,
    askPriceMantissa: 175,
    askSizeMantissa: 3,
  });
});

test.each([
  { price: undefined, size: undefined },
  { price: null, size: "3" },
  { price: "0", size: "3" },
  { price: "2", size: "0" },
])("a side of $size at $price is empty: both are zero", (bid) => {
  expect(quoteEvent(SUBJECT, new ScaleTracker(), bid, { price: "3", size: "1" })).toMatchObject({
    bidPriceMantissa: 0,
    bidSizeMantissa: 0,
    askPriceMantissa: 3,
    askSizeMantissa: 1,
  });
});

test.each([
  { price: "", size: "1", reason: "bad-decimal" },
  { price: "1", size: "x", reason: "bad-decimal" },
  { price: "1", size: "-1", reason: "negative-size" },
  { price: "-1", size: "1", reason: "non-positive-price" },
])("a quote with a side of $size at $price is none: $reason", ({ price, size, reason }) => {
  const side = { price: "1", size: "1" };
  expect(quoteEvent(SUBJECT, new ScaleTracker(), { price, size }, side)).toBe(reason);
  expect(quoteEvent(SUBJECT, new ScaleTracker(), side, { price, size })).toBe(reason);
});

test("a size that a venue rounds down to zero leaves its price; no price is nobody all the same", () => {
  const bid = { price: "2", size: "0" };
  const ask = { price: null, size: null };
  expect(quoteEvent(SUBJECT, new ScaleTracker(), bid, ask, "rounded")).toMatchObject({
    bidPriceMantissa: 2,
    bidSizeMantissa: 0,
    askPriceMantissa: 0,
    askSizeMantissa: 0,
  });
});

describe("a combo, whose prices are signed", () => {
  const subject = { ...SUBJECT, instrument: { ...fakeInstrument("A"), kind: "combo" } as const };

  test("has a side at zero and one below it, told by their sizes", () => {
    const bid = { price: "-0.5", size: "2" };
    const ask = { price: "0", size: "3" };
    expect(quoteEvent(subject, new ScaleTracker(), bid, ask)).toMatchObject({
      priceScale: 1,
      bidPriceMantissa: -5,
      bidSizeMantissa: 2,
      askPriceMantissa: 0,
      askSizeMantissa: 3,
    });
  });

  test.each([
    { price: undefined, size: undefined },
    { price: null, size: "3" },
    { price: "0", size: "0" },
    { price: "-2", size: "0" },
  ])("has nobody at a side of $size at $price", (bid) => {
    expect(quoteEvent(subject, new ScaleTracker(), bid, { price: "-3", size: "1" })).toMatchObject({
      bidPriceMantissa: 0,
      bidSizeMantissa: 0,
      askPriceMantissa: -3,
      askSizeMantissa: 1,
    });
  });
});
