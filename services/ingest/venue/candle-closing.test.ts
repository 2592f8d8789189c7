import { expect, test } from "vitest";
import type { Candle } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { CANDLE_GRACE_US, CandleClosing } from "./candle-closing.ts";

const MINUTE_US = 60_000_000;
const OPEN_US = 1_790_000_040_000_000;
const END_US = OPEN_US + MINUTE_US + CANDLE_GRACE_US;

function candle(fields: Partial<Candle> = {}): Candle {
  return {
    kind: "candle",
    instrument: fakeInstrument("A"),
    venueTimeUs: OPEN_US + 5,
    receivedTimeUs: OPEN_US + 5,
    intervalMs: 6e4,
    openTimeUs: OPEN_US,
    open: "1",
    high: "2",
    low: "1",
    close: "2",
    volume: "5",
    quoteVolume: undefined,
    tradeCount: 3,
    closed: false,
    ...fields,
  };
}

function closedAt(closing: CandleClosing, nowUs: number): Candle[] {
  const closed: Candle[] = [];
  closing.close(nowUs, (each) => closed.push(each));
  return closed;
}

test("a candle is closed once, when its time and the venue's grace are over", () => {
  const closing = new CandleClosing();
  const open = candle();
  expect(closing.take(open)).toBe(open);
  expect(closedAt(closing, END_US - 1)).toEqual([]);
  expect(closing.openCount).toBe(1);
  expect(closedAt(closing, END_US)).toEqual([{ ...open, receivedTimeUs: END_US, closed: true }]);
  expect(closing.openCount).toBe(0);
  expect(closedAt(closing, END_US + MINUTE_US)).toEqual([]);
});

test.each([-7_200_000_000, -1, 300_000, 7_200_000_000])(
  "the end is reckoned in the venue's time, from which ours differs by %i µs",
  (aheadUs) => {
    const closing = new CandleClosing();
    closing.take(candle({ receivedTimeUs: OPEN_US + 5 + aheadUs }));
    expect(closedAt(closing, END_US + aheadUs - 1)).toEqual([]);
    expect(closedAt(closing, END_US + aheadUs)).toHaveLength(1);
  },
);

test("what the venue says again after that is not told, and what it changes is, as closed", () => {
  const closing = new CandleClosing();
  const instrument = fakeInstrument("A");
  closing.take(candle({ instrument }));
  closedAt(closing, END_US);
  expect(closing.take(candle({ instrument, closed: true }))).toBeUndefined();
  expect(closing.take(candle({ instrument }))).toBeUndefined();
  const late = candle({ instrument, volume: "6" });
  expect(closing.take(late)).toEqual({ ...late, closed: true });
  const next = candle({ instrument, openTimeUs: OPEN_US + MINUTE_US });
  expect(closing.take(next)).toBe(next);
  expect(closing.openCount).toBe(1);
});

test("a candle that the venue closes, or that is older, passes as it is", () => {
  const closing = new CandleClosing();
  const instrument = fakeInstrument("A");
  const first = candle({ instrument });
  const over = candle({ instrument, closed: true });
  const older = candle({ instrument, openTimeUs: OPEN_US - MINUTE_US });
  expect([first, over, older].map((each) => closing.take(each))).toEqual([first, over, older]);
  expect(closing.openCount).toBe(0);
  expect(closedAt(closing, END_US)).toEqual([]);
});

test("a candle of an interrupted channel is not closed", () => {
  const closing = new CandleClosing();
  const instrument = fakeInstrument("A");
  closing.take(candle({ instrument }));
  closing.take(candle({ instrument, intervalMs: 300_000 }));
  closing.forget(instrument);
  expect(closing.openCount).toBe(0);
  expect(closedAt(closing, END_US + 600_000_000)).toEqual([]);
});
