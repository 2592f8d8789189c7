import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { SIMULATED_MARKET_DEFAULTS } from "./simulated-settings.ts";
import { createSimulatedVenue } from "./simulated-dialer.ts";

const START_US = 1_700_000_040_000_000;
const MINUTES = 4;
/** What is halted or listed is looked at elsewhere; here all are there from the beginning. */
const STEADY = { haltIntervalMs: 0, listingIntervalMs: 0 };

/** What was seen of one instrument, by a reader of its raw frames. */
type Seen = {
  readonly sides: { readonly b: Map<string, string>; readonly a: Map<string, string> };
  readonly deltasBySecond: number[];
  trades: number;
  thinnest: number;
  low: number;
  high: number;
  /** In hundredths of a basis point of the price, summed over the quotes. */
  spreads: number;
  quotes: number;
};

type Frame = {
  readonly e: string;
  readonly s: string;
  readonly t: number;
  readonly p: string;
  readonly b: string | (readonly [string, string])[];
  readonly a: string | (readonly [string, string])[];
};

/** Plays the market as it is where nothing is set, and looks at it as a user would. */
function watch(seed: number, minutes = MINUTES): { seen: Map<string, Seen>; digest: string[] } {
  const clock = new ManualClock(START_US);
  const venue = createSimulatedVenue({ ...SIMULATED_MARKET_DEFAULTS, ...STEADY, seed, clock });
  const seen = new Map<string, Seen>();
  const digest: string[] = [];
  const socket = venue.dialer.dial(
    "",
    {
      onOpen: () => {
        const channels = venue.instruments.flatMap(({ symbol }) =>
          ["trades", "book", "quotes"].map((channel) => [symbol, channel]),
        );
        socket.send(JSON.stringify({ op: "subscribe", channels }));
      },
      onFrame: (frame) => {
        if (digest.length < 5_000) digest.push(String(frame));
        look(JSON.parse(String(frame)) as Frame, seen);
      },
      onClose: () => expect.fail("closed"),
    },
    { frameBytesMax: 1024 * 1024 },
  );
  clock.advance(minutes * 60_000);
  venue.close();
  return { seen, digest };
}

function look(frame: Frame, all: Map<string, Seen>): void {
  if (frame.e === "heartbeat" || frame.e === "subscribed") return;
  let seen = all.get(frame.s);
  if (seen === undefined) {
    const sides = { b: new Map(), a: new Map() };
    const extremes = { thinnest: Infinity, low: Infinity, high: 0 };
    seen = { sides, deltasBySecond: [], trades: 0, spreads: 0, quotes: 0, ...extremes };
    all.set(frame.s, seen);
  }
  if (frame.e === "trade") {
    seen.trades += 1;
    seen.low = Math.min(seen.low, Number(frame.p));
    seen.high = Math.max(seen.high, Number(frame.p));
  } else if (frame.e === "quote") {
    const [bid, ask] = [Number(frame.b), Number(frame.a)];
    assert.ok(bid < ask);
    seen.quotes += 1;
    seen.spreads += ((ask - bid) / ask) * 1e6;
  } else {
    const second = Math.floor((frame.t - START_US) / 1e6);
    seen.deltasBySecond[second] = (seen.deltasBySecond[second] ?? 0) + 1;
    for (const side of ["b", "a"] as const) {
      for (const [price, size] of frame[side] as (readonly [string, string])[]) {
        if (Number(size) === 0) seen.sides[side].delete(price);
        else seen.sides[side].set(price, size);
      }
      seen.thinnest = Math.min(seen.thinnest, seen.sides[side].size);
    }
  }
}

test.each([1, 2])("the market that opens by itself is alive (seed %i)", (seed) => {
  const { seen } = watch(seed);
  expect([...seen.keys()].toSorted().join()).toBe(
    "AAVE-USD,ADA-USD,ADA-USD-PERP,ADA-USDT,ARB-USD,ATOM-USD,AVAX-USD,BCH-USD,BNB-USD,BTC-USD," +
      "BTC-USD-PERP,BTC-USDT,DOGE-USD,DOGE-USDT,DOT-USD,ETH-USD,ETH-USD-PERP,ETH-USDT,LINK-USD," +
      "LTC-USD,LTC-USD-PERP,NEAR-USD,OP-USD,PEPE-USD,SHIB-USD,SOL-USD,SOL-USD-PERP,SOL-USDT," +
      "SUI-USD,TRX-USD,UNI-USD,USDT-USD,XLM-USD,XRP-USD,XRP-USD-PERP,XRP-USDT",
  );
  const { low: pegLow, high: pegHigh } = seen.get("USDT-USD") ?? { low: 0, high: Infinity };
  // What is pegged stays within half a percent of a dollar.
  expect(pegLow).toBeGreaterThan(0.995);
  expect(pegHigh).toBeLessThan(1.005);
  seen.delete("USDT-USD");
  for (const [symbol, { thinnest, low, high, spreads, quotes, trades }] of seen) {
    const range = (high - low) / low;
    // On average, a spread has 0.02 to 10 basis points.
    const spread = spreads / quotes;
    const isAlive = trades > 8 && range > 0.0006 && range < 0.1 && spread > 1 && spread < 1000;
    expect({ symbol, isDeep: thinnest >= 100, isAlive }).toEqual({
      symbol,
      isDeep: true,
      isAlive: true,
    });
  }
  const rate = (symbol: string) =>
    (seen.get(symbol)?.deltasBySecond ?? []).reduce((sum, count) => sum + (count ?? 0), 0) /
    (MINUTES * 60);
  expect(rate("BTC-USD")).toBeGreaterThan(10);
  expect(rate("BTC-USD")).toBeLessThan(45);
  expect(rate("BTC-USD")).toBeGreaterThan(2 * rate("LTC-USD"));
  expect(rate("BTC-USD-PERP")).toBeGreaterThan(rate("BTC-USD"));
  // Busy seconds are far busier than usual ones.
  const counts = (seen.get("BTC-USD")?.deltasBySecond ?? []).toSorted((a, b) => a - b);
  const median = counts[Math.floor(counts.length / 2)] ?? 0;
  expect(counts.at(-1)).toBeGreaterThan(2 * median);
  // The perpetual stays near its spot market.
  const [spot, perpetual] = [seen.get("BTC-USD"), seen.get("BTC-USD-PERP")];
  expect(Math.abs((perpetual?.high ?? 0) / (spot?.high ?? 1) - 1)).toBeLessThan(0.003);
  // So does the market in USDT, once its price is put into USD.
  const inTether = seen.get("BTC-USDT")?.high ?? 0;
  const worth = (pegLow + pegHigh) / 2;
  expect(Math.abs((inTether * worth) / (spot?.high ?? 1) - 1)).toBeLessThan(0.002);
});

test("it is the same, byte by byte, for the same seed", () => {
  const digest = watch(4, 1).digest;
  expect(digest).toHaveLength(5_000);
  expect(watch(4, 1).digest).toEqual(digest);
});
