import { expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import type { FeedEvent } from "../feed/feed-adapter.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "./damage.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");

test.each([
  ['{"topic":"trades.A","data":[', "trades.A"],
  ['{"data":{"topic" : "inner"},"x', "inner"],
  ['{"a_topic":"no","topic":"yes"', "yes"],
  ['{"topic":"cut', undefined],
  ['{"topic":"with \\" escape"', undefined],
  ['{"topic":5', undefined],
  ["", undefined],
])("in %s the topic is %s", (text, topic) => {
  expect(fieldFinder("topic")(text)).toBe(topic);
});

test("a field may have one of several names", () => {
  const find = fieldFinder("s|symbol");
  expect(find('{"symbols":"no","s":"A"')).toBe("A");
  expect(find('{"symbol":"B"')).toBe("B");
});

test("a damaged frame is counted once, with what it was about if both parts are known", () => {
  const events: FeedEvent[] = [];
  const emit = (event: FeedEvent): number => events.push(event);
  expect(rejectDamaged(emit, A, "book")).toBe(true);
  expect(rejectDamaged(emit, A, undefined)).toBe(false);
  expect(rejectDamaged(emit, undefined, "book")).toBe(false);
  expect(events).toEqual([
    { kind: "rejected", reason: "bad-json", instrument: A, channel: "book" },
    { kind: "rejected", reason: "bad-json" },
    { kind: "rejected", reason: "bad-json" },
  ]);
});

test("what may have lost something is told one by one", () => {
  const events: FeedEvent[] = [];
  doubtEach(new Set([A, B]), "trades", (event) => events.push(event));
  const lost = { kind: "rejected", reason: "missing-data", channel: "trades" };
  expect(events).toEqual([
    { ...lost, instrument: A },
    { ...lost, instrument: B },
  ]);
});
