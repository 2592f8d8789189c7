import { expect, test } from "vitest";
import { bestQuotes } from "./best-quotes.ts";

test("the best prices are found over venues, and what trading between them leaves", () => {
  const quotes = [
    { topic: "a", bidPrice: 99, askPrice: 100 },
    { topic: "b", bidPrice: 102, askPrice: 103 },
    { topic: "c", bidPrice: undefined, askPrice: undefined },
  ];
  const best = bestQuotes(quotes, 0);
  expect([[...best.bidTopics], [...best.askTopics]]).toEqual([["b"], ["a"]]);
  expect(best.profitShare).toBeCloseTo(0.02, 10);
  expect(bestQuotes(quotes, 0.02).profitShare).toBeLessThan(0);
});
