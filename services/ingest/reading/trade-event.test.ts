import { expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ScaleTracker } from "./scale-tracker.ts";
import { tradeEvent } from "./trade-event.ts";

const SUBJECT = { instrument: fakeInstrument("A"), venueTimeUs: 5, receivedTimeUs: 6 };

const FORM = { aggressorSide: "seller", tradeId: "7", historical: false } as const;

test("a trade event has price and size at their scales, and what the venue says of the trade", () => {
  const form = { ...FORM, price: "1.50", size: "0.25" };
  expect(tradeEvent(SUBJECT, new ScaleTracker(), form)).toEqual({
    kind: "trade",
    ...SUBJECT,
    ...FORM,
    priceMantissa: 15,
    priceScale: 1,
    sizeMantissa: 25,
    sizeScale: 2,
  });
});

test.each([
  { price: "x", size: "1", reason: "bad-decimal" },
  { price: "1", size: undefined, reason: "bad-decimal" },
  { price: "0", size: "1", reason: "non-positive-price" },
  { price: "-1", size: "1", reason: "non-positive-price" },
  { price: "1", size: "0", reason: "non-positive-size" },
  { price: "1", size: "-1", reason: "non-positive-size" },
])("a trade of $size at $price is none: $reason", ({ price, size, reason }) => {
  expect(tradeEvent(SUBJECT, new ScaleTracker(), { ...FORM, price, size })).toBe(reason);
});

test.each([
  { price: "0", priceMantissa: 0 },
  { price: "-10.5", priceMantissa: -105 },
])("a combo trades at $price", ({ price, priceMantissa }) => {
  const instrument = { ...fakeInstrument("A"), kind: "combo" } as const;
  const form = { ...FORM, price, size: "1" };
  expect(tradeEvent({ ...SUBJECT, instrument }, new ScaleTracker(), form)).toMatchObject({
    priceMantissa,
    sizeMantissa: 1,
  });
  const nothing = { ...FORM, price, size: "0" };
  expect(tradeEvent({ ...SUBJECT, instrument }, new ScaleTracker(), nothing)).toBe(
    "non-positive-size",
  );
});
