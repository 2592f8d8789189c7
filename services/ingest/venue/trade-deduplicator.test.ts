import { expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { TradeDeduplicator } from "./trade-deduplicator.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");

function trade(tradeId: string, { instrument = A, historical = false } = {}): Trade {
  return {
    kind: "trade",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    tradeId,
    historical,
    priceMantissa: 1,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "none",
  };
}

test("a trade is new once per instrument", () => {
  const trades = new TradeDeduplicator({ idsMax: 10 });
  expect(trades.isNew(trade("1"))).toBe(true);
  expect(trades.isNew(trade("1"))).toBe(false);
  expect(trades.isNew(trade("1", { instrument: B }))).toBe(true);
});

test("remembers exactly the last trades up to its limit", () => {
  const trades = new TradeDeduplicator({ idsMax: 3 });
  for (const id of ["1", "2", "3"]) trades.isNew(trade(id));
  expect(trades.isNew(trade("1"))).toBe(false);
  trades.isNew(trade("4"));
  expect(trades.isNew(trade("2"))).toBe(false);
  expect(trades.isNew(trade("1"))).toBe(true);
});

test("of trades without an id, old ones are taken only before the first new one", () => {
  const trades = new TradeDeduplicator({ idsMax: 3 });
  expect(trades.isNew(trade("", { historical: true }))).toBe(true);
  expect(trades.isNew(trade("", { historical: true }))).toBe(true);
  expect(trades.isNew(trade(""))).toBe(true);
  expect(trades.isNew(trade(""))).toBe(true);
  expect(trades.isNew(trade("", { historical: true }))).toBe(false);
});
