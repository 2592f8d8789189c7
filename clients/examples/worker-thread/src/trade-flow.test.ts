import { expect, test } from "vitest";
import { TradeFlow, type CountedTrade } from "./trade-flow.ts";

function trade(topic: string, size: number, side: CountedTrade["aggressorSide"], price = 100) {
  return { topic, price, priceText: String(price), size, aggressorSide: side };
}

test("trades are summed by instrument, and the busiest one comes first", () => {
  const flow = new TradeFlow();
  flow.add(trade("b", 1, "none"));
  flow.add(trade("a", 3, "buyer", 100));
  flow.add(trade("a", 1, "seller", 104));
  const ofA = { topic: "a", trades: 2, lastPriceText: "104", netSize: 2, meanPrice: 101 };
  const ofB = { topic: "b", trades: 1, lastPriceText: "100", netSize: 0, meanPrice: 100 };
  expect(flow.take()).toEqual([ofA, ofB]);
  expect(flow.take()).toEqual([]);
});
