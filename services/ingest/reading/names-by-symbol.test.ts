import { expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedSubscription } from "../feed/feed-adapter.ts";
import { namesBySymbol } from "./names-by-symbol.ts";

const NAMES: Partial<Record<Channel, string>> = { book: "l2", trades: "l2", candles: "1m" };

function wanted(venueSymbol: string, channel: Channel): FeedSubscription {
  const instrument: Instrument = {
    venue: "test",
    symbol: `${venueSymbol}-USD`,
    venueSymbol,
    kind: "spot",
    base: venueSymbol,
    quote: "USD",
    settle: "USD",
    inverse: false,
  };
  return { instrument, channel };
}

test("names are listed once for each symbol, in the order in which they are wanted", () => {
  const names = namesBySymbol(
    [wanted("B", "candles"), wanted("A", "book"), wanted("B", "trades"), wanted("A", "trades")],
    (channel) => NAMES[channel],
  );
  expect([...names].map(([symbol, each]) => [symbol, [...each]])).toEqual([
    ["B", ["1m", "l2"]],
    ["A", ["l2"]],
  ]);
});

test("a symbol of which nothing has a name is left out", () => {
  expect(namesBySymbol([wanted("A", "funding")], (channel) => NAMES[channel]).size).toBe(0);
});
