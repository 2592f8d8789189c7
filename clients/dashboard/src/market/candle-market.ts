import type { Instrument } from "@tickwire/client";
import { derivedTopicOf } from "./derived-venues.ts";
import type { Market } from "./market-rows.ts";

/** Lengths that are made of a venue's own candles where it has a part of them. */
const LENGTHS_MS = [60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000];
const LENGTHS_SHOWN_MAX = 12;

/** Where candles of one length are from. */
export type CandleMarket = {
  readonly market: Market;
  /** The length that is followed, of which the wanted one is a whole number of times. */
  readonly partMs: number;
};

/**
 * In which lengths a market's candles can be shown: its own, what can be made of them, and those
 * that a deriver makes of its trades.
 */
export function candleLengths(market: Market, markets: ReadonlyMap<string, Market>): number[] {
  const sources = sourcesOf(market, markets).map(({ instrument }) => instrument);
  const known = sources.flatMap(({ candleIntervalsMs, candleHistoryIntervalsMs }) => [
    ...candleIntervalsMs,
    ...candleHistoryIntervalsMs,
  ]);
  const shown = [...new Set([...known, ...LENGTHS_MS])].filter((length) =>
    sources.some((source) => partOf(length, source) !== undefined),
  );
  return shown.sort((a, b) => a - b).slice(0, LENGTHS_SHOWN_MAX);
}

/** Where candles of this length are from: the venue's own come first. Undefined if nowhere. */
export function candleMarketOf(
  market: Market,
  markets: ReadonlyMap<string, Market>,
  lengthMs: number,
): CandleMarket | undefined {
  for (const source of sourcesOf(market, markets)) {
    const partMs = partOf(lengthMs, source.instrument);
    if (partMs !== undefined) return { market: source, partMs };
  }
  return undefined;
}

function sourcesOf(market: Market, markets: ReadonlyMap<string, Market>): readonly Market[] {
  const derived = markets.get(derivedTopicOf(market.instrument));
  return derived === undefined ? [market] : [market, derived];
}

/** The longest of an instrument's lengths that fits a whole number of times. */
function partOf(length: number, { candleIntervalsMs }: Instrument): number | undefined {
  const fitting = candleIntervalsMs.filter((part) => part <= length && length % part === 0);
  return fitting.length === 0 ? undefined : Math.max(...fitting);
}
