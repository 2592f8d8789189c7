import { expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { createPrng } from "#test/support/prng.ts";
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

test("remembers exactly the last of texts and of numbers, in whatever order they come", () => {
  const idsMax = 100;
  const trades = new TradeDeduplicator({ idsMax });
  const prng = createPrng(3);
  const seen = { number: [] as string[], text: [] as string[] };
  const wrong: string[] = [];
  for (let round = 0; round < 20_000; round += 1) {
    const number = String(Math.floor(round / 3) + prng.below(200));
    const isText = prng.chance(0.3);
    const id = isText ? `t-${number}` : number;
    const list = isText ? seen.text : seen.number;
    const isNew = !list.includes(id);
    if (trades.isNew(trade(id)) !== isNew) wrong.push(id);
    if (isNew) list.push(id);
    if (list.length > idsMax) list.shift();
  }
  expect(wrong).toEqual([]);
});

test("remembers exactly the last of numbers that mostly follow each other", () => {
  const idsMax = 100;
  const trades = new TradeDeduplicator({ idsMax });
  const prng = createPrng(5);
  const seen: number[] = [];
  const wrong: number[] = [];
  let next = 0;
  for (let round = 0; round < 20_000; round += 1) {
    // Now and then a hole, an old one, or numbers that begin anew.
    if (prng.chance(0.05)) next += prng.below(4);
    if (prng.chance(0.001)) next = prng.below(50);
    const isOld = prng.chance(0.1);
    const id = isOld ? Math.max(0, next - prng.below(250)) : next;
    if (!isOld) next += 1;
    const isNew = !seen.includes(id);
    if (trades.isNew(trade(String(id))) !== isNew) wrong.push(id);
    if (isNew) seen.push(id);
    if (seen.length > idsMax) seen.shift();
  }
  expect(wrong).toEqual([]);
});

test("tells an id from the same number written otherwise", () => {
  const trades = new TradeDeduplicator({ idsMax: 10 });
  for (const id of ["7", "07", "7.0", "7000000000000000", "07000000000000000"]) {
    expect(trades.isNew(trade(id))).toBe(true);
    expect(trades.isNew(trade(id))).toBe(false);
  }
});

test("of trades without an id, old ones are taken only before the first new one", () => {
  const trades = new TradeDeduplicator({ idsMax: 3 });
  expect(trades.isNew(trade("", { historical: true }))).toBe(true);
  expect(trades.isNew(trade("", { historical: true }))).toBe(true);
  expect(trades.isNew(trade(""))).toBe(true);
  expect(trades.isNew(trade(""))).toBe(true);
  expect(trades.isNew(trade("", { historical: true }))).toBe(false);
});
