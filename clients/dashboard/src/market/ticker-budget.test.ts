import { expect, test } from "vitest";
import { followedTickers, TICKERS_MAX } from "./ticker-budget.ts";

test.each([-1, 0, 1])("follows favourites first at %d from the limit", (beyond) => {
  const topics = Array.from({ length: TICKERS_MAX + beyond }, (_, index) => `v:${index}`);
  const last = topics.at(-1)!;
  const followed = followedTickers(topics, new Set([last]));
  expect(followed.length).toBe(Math.min(TICKERS_MAX, topics.length));
  expect(followed).toContain(last);
});
