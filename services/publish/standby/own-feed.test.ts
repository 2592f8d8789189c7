import { expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { BUFFERED_EVENTS_MAX, OwnFeed } from "./own-feed.ts";

const instrument = { venue: "fake", symbol: "A-USD" } as Instrument;

function quote(bid: number): MarketEvent {
  return { kind: "quote", instrument, bidPriceMantissa: bid } as unknown as MarketEvent;
}

test.each([
  { count: BUFFERED_EVENTS_MAX - 1, kept: BUFFERED_EVENTS_MAX - 1 },
  { count: BUFFERED_EVENTS_MAX, kept: 0 },
  { count: BUFFERED_EVENTS_MAX + 1, kept: 0 },
])("of $count events that nobody publishes $kept wait in order", ({ count, kept }) => {
  const own = new OwnFeed(() => 0);
  for (let index = 1; index <= count; index += 1) own.take(quote(index));
  expect(own.bufferedEvents).toBe(kept);
  // Beyond that the last one says all.
  const last = own.instruments.get(instrument)?.last.quote;
  expect(last).toEqual(kept > 0 ? undefined : quote(count));
});

test("what is known from before counts until our feed says something else", () => {
  const own = new OwnFeed(() => 0);
  own.unled([quote(1)]);
  own.led();
  expect(own.instruments.get(instrument)?.last.quote).toEqual(quote(1));
  own.take(quote(2));
  expect(own.instruments.get(instrument)?.last.quote).toEqual(quote(2));
  own.forget(instrument);
  expect(own.instruments.size).toBe(0);
});
