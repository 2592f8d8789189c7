import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { RestAnswer } from "../feed/rest/rest-client.ts";
import { SIMULATED_CANDLES_MAX } from "./simulated-candles.ts";
import { createSimulatedVenue } from "./simulated-dialer.ts";
import { SIMULATED_MARKET_DEFAULTS } from "./simulated-settings.ts";
import { simulated } from "./simulated.ts";

const MINUTE_MS = 60_000;
/** 2026-01-05 00:00 UTC. */
const DAY_MS = 1_767_571_200_000;
const BTC = simulated.deriveInstrument("BTC-USD")!;
const PERPETUAL = simulated.deriveInstrument("BTC-USD-PERP")!;

type Range = { readonly intervalMs: number; readonly fromMs: number; readonly toMs: number };

/** What a venue that opened at `openedMs` answers. */
async function candlesOf(range: Range, { openedMs = DAY_MS, seed = 1, instrument = BTC } = {}) {
  const clock = new ManualClock(openedMs * 1_000);
  const venue = createSimulatedVenue({ clock, ...SIMULATED_MARKET_DEFAULTS, seed });
  const history = simulated.candleHistory!;
  const request = history.request(instrument, range, simulated.endpoints)!;
  const answer = await new Promise<RestAnswer>((resolve, reject) => {
    venue.rest.get(request, resolve, reject);
    for (let step = 0; step < 3_000; step += 1) clock.advance(1);
  });
  venue.close();
  const subject = { instrument, intervalMs: range.intervalMs, receivedTimeUs: openedMs * 1_000 };
  const read = history.parse(answer.body, subject)!;
  expect(read.skipped).toBe(0);
  return read.candles.map(({ openTimeUs, open, high, low, close, volume, tradeCount, closed }) => {
    return { openMs: openTimeUs / 1_000, open, high, low, close, volume, tradeCount, closed };
  });
}

const minutes = (count: number, toMs = DAY_MS): Range => {
  return { intervalMs: MINUTE_MS, fromMs: toMs - count * MINUTE_MS, toMs };
};

test("each minute of the past has a candle that begins where the one before ended", async () => {
  const candles = await candlesOf(minutes(400));
  expect(candles).toHaveLength(400);
  for (const [index, { openMs, open, high, low, close, tradeCount }] of candles.entries()) {
    expect(openMs).toBe(DAY_MS - (400 - index) * MINUTE_MS);
    expect(open).toBe(candles[index - 1]?.close ?? open);
    expect(Number(high)).toBeGreaterThanOrEqual(Math.max(Number(open), Number(close)));
    expect(Number(low)).toBeLessThanOrEqual(Math.min(Number(open), Number(close)));
    expect(tradeCount).toBeGreaterThan(0);
  }
});

test("the past follows from the seed, whenever the market opens", async () => {
  const range = minutes(50, DAY_MS - 7 * 86_400_000);
  const one = await candlesOf(range);
  expect(await candlesOf(range, { openedMs: DAY_MS + 5 * 3_600_000 })).toEqual(one);
  expect(await candlesOf(range, { seed: 2 })).not.toEqual(one);
});

test("longer candles are made of the shorter ones", async () => {
  const fromMs = DAY_MS - 5 * 3_600_000;
  const hours = await candlesOf({ intervalMs: 3_600_000, fromMs, toMs: DAY_MS });
  expect(hours).toHaveLength(5);
  for (const hour of hours) {
    const { openMs } = hour;
    const within = { intervalMs: MINUTE_MS, fromMs: openMs, toMs: openMs + 3_600_000 };
    const parts = await candlesOf(within);
    const scaled = (text: string): number => Math.round(Number(text) * 1e5);
    expect(parts).toHaveLength(60);
    expect(hour.open).toBe(parts[0]!.open);
    expect(hour.close).toBe(parts.at(-1)!.close);
    expect(Number(hour.high)).toBe(Math.max(...parts.map(({ high }) => Number(high))));
    expect(Number(hour.low)).toBe(Math.min(...parts.map(({ low }) => Number(low))));
    expect(scaled(hour.volume)).toBe(parts.reduce((sum, { volume }) => sum + scaled(volume), 0));
    expect(hour.tradeCount).toBe(parts.reduce((sum, { tradeCount }) => sum + tradeCount!, 0));
  }
});

test("there is nothing before 2020, and nothing that has not begun", async () => {
  const firstMs = Date.UTC(2020, 0, 1);
  const first = await candlesOf({ ...minutes(10, firstMs + 5 * MINUTE_MS) });
  expect(first.map(({ openMs }) => openMs)).toEqual(
    [0, 1, 2, 3, 4].map((minute) => firstMs + minute * MINUTE_MS),
  );
  const last = await candlesOf(minutes(6, DAY_MS + 3 * MINUTE_MS));
  expect(last.map(({ openMs, closed }) => [openMs, closed])).toEqual([
    [DAY_MS - 3 * MINUTE_MS, true],
    [DAY_MS - 2 * MINUTE_MS, true],
    [DAY_MS - MINUTE_MS, true],
    [DAY_MS, false],
  ]);
});

test.each([-1, 0, 1])("an answer has its limit of candles (limit %i)", async (more) => {
  const candles = await candlesOf(minutes(SIMULATED_CANDLES_MAX + more));
  expect(candles).toHaveLength(Math.min(SIMULATED_CANDLES_MAX + more, SIMULATED_CANDLES_MAX));
});

test("a perpetual has the prices of its spot market, and trades of its own", async () => {
  const spot = await candlesOf(minutes(20));
  const perpetual = await candlesOf(minutes(20), { instrument: PERPETUAL });
  expect(perpetual.map(({ close }) => close)).toEqual(spot.map(({ close }) => close));
  expect(perpetual.map(({ volume }) => volume)).not.toEqual(spot.map(({ volume }) => volume));
});
