import { Registry } from "prom-client";
import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { somebody } from "#test/support/principals.ts";
import { createAccessMetrics } from "./access-metrics.ts";
import { Looks } from "./looks.ts";

const WHO = somebody(["*:*/*"]);
const QUOTES = { venue: "v", symbol: "A-USD", channel: "quotes" };
const TERMS = { depthMax: 0, intervalMsMin: 1_000, delayMs: 0 };

let clock: ManualClock;
let looks: Looks;

beforeEach(() => {
  clock = new ManualClock();
  looks = new Looks({ clock, metrics: createAccessMetrics(new Registry()) });
});

const look = (topic = QUOTES, who = WHO) => looks.take(who, topic, TERMS);

test("whoever may have every event looks as often as he likes", () => {
  const all = { ...TERMS, intervalMsMin: 0 };
  for (let count = 0; count < 1_000; count += 1) expect(looks.take(WHO, QUOTES, all)).toBe(0);
});

test("somebody looks four times at once, and then once in each interval", () => {
  expect([look(), look(), look(), look()]).toEqual([0, 0, 0, 0]);
  expect(look()).toBe(1_000);
  clock.advance(999);
  expect(look()).toBe(1);
  clock.advance(1);
  expect([look(), look()]).toEqual([0, 1_000]);
  // However long he waits, he saves up no more than four.
  clock.advance(60_000);
  expect([look(), look(), look(), look(), look()]).toEqual([0, 0, 0, 0, 1_000]);
});

test("over a long time nobody sees more than his interval permits, whenever he looks", () => {
  let seen = 0;
  for (let ms = 0; ms < 100_000; ms += 7) {
    if (look() === 0) seen += 1;
    clock.advance(7);
  }
  expect(seen).toBeLessThanOrEqual(104);
  expect(seen).toBeGreaterThanOrEqual(100);
});

test("topics and principals count apart", () => {
  for (let count = 0; count < 4; count += 1) look();
  expect(look()).toBeGreaterThan(0);
  expect(look({ ...QUOTES, channel: "book" })).toBe(0);
  expect(look({ ...QUOTES, symbol: "B-USD" })).toBe(0);
  expect(look(QUOTES, somebody(["*:*/*"], {}, { id: "key:other" }))).toBe(0);
});

test("of so many topics at once that none can be remembered there are no looks, until time passes", () => {
  for (let index = 0; index < 100_000; index += 1) look({ ...QUOTES, symbol: `S${index}` });
  expect(look({ ...QUOTES, symbol: "ONE-MORE" })).toBe(1_000);
  clock.advance(1_000);
  expect(look({ ...QUOTES, symbol: "ONE-MORE" })).toBe(0);
});
