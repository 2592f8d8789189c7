import { expect, test } from "vitest";
import type { FeedEvent } from "../feed/feed-adapter.ts";
import { type Asked, emitRefused, emitSubscribed, refusalText } from "./subscription-answers.ts";

const ASKED: readonly Asked[] = [
  { venueSymbol: "A", channels: ["quotes", "ticker"] },
  { venueSymbol: "B", venueMarket: "linear", channels: ["book"] },
];

function eventsOf(tell: (emit: (event: FeedEvent) => void) => void): FeedEvent[] {
  const events: FeedEvent[] = [];
  tell((event) => events.push(event));
  return events;
}

test("each channel of each instrument is confirmed by itself", () => {
  expect(eventsOf((emit) => emitSubscribed(ASKED, emit))).toEqual([
    { kind: "subscribed", venueSymbol: "A", channel: "quotes" },
    { kind: "subscribed", venueSymbol: "A", channel: "ticker" },
    { kind: "subscribed", venueSymbol: "B", venueMarket: "linear", channel: "book" },
  ]);
});

test("each is refused by itself, in the venue's words", () => {
  expect(eventsOf((emit) => emitRefused(ASKED.slice(1), "no such pair", emit))).toEqual([
    {
      kind: "refused",
      venueSymbol: "B",
      venueMarket: "linear",
      channel: "book",
      reason: "no such pair",
    },
  ]);
});

test.each([[[]], [[{ venueSymbol: "A", channels: [] }]]])(
  "an answer about nothing that is published is a sign of life, a refusal one of something",
  (asked) => {
    expect(eventsOf((emit) => emitSubscribed(asked, emit))).toEqual([{ kind: "heartbeat" }]);
    expect(eventsOf((emit) => emitRefused(asked, "no", emit))).toEqual([
      { kind: "refused", venueSymbol: undefined, channel: undefined, reason: "no" },
    ]);
  },
);

test.each([
  ["no such market", 5, "no such market"],
  ["", 5, "code 5"],
  [undefined, "30001", "code 30001"],
  [{ toString: 1 }, { toString: 1 }, "refused"],
  [undefined, undefined, "refused"],
])("a refusal with the words %o and the code %o says %s", (words, code, text) => {
  expect(refusalText(words, code)).toBe(text);
});
