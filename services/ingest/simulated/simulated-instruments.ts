/**
 * One instrument of the simulated venue. Prices are whole ticks of 10^-priceScale, sizes lots of
 * 10^-sizeScale.
 */
export type SimulatedInstrument = {
  readonly symbol: string;
  readonly kind: "spot" | "perpetual";
  readonly base: string;
  readonly quote: "USD" | "USDT";
  readonly priceScale: number;
  readonly sizeScale: number;
  /** Where the price starts and is drawn back to. */
  readonly referenceTicks: number;
  /** How often it moves, compared with the busiest spot instrument. */
  readonly pace: number;
  /** Standard deviation of one second's return in a normal market, in basis points. */
  readonly volatilityBps: number;
  /** Mean size of an order, in lots. */
  readonly orderLots: number;
  /** Mean distance between neighbouring levels of the book, in ticks. */
  readonly gapTicks: number;
  /** The spot instrument that a perpetual follows. */
  readonly underlying: string | undefined;
  /** The instrument in USD whose price it has, through the price of USDT; undefined for others. */
  readonly follows: string | undefined;
  /** Its price stays where it is, as that of USDT in USD does, whatever others do. */
  readonly isPegged: boolean;
};

/** What one USDT is worth, from which prices in USDT come. */
export const TETHER_SYMBOL = "USDT-USD";

/** What is known of an instrument before the rest is computed from it. */
type Named = {
  readonly base: string;
  readonly quote: "USD" | "USDT";
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly referenceTicks: number;
  readonly pace: number;
  readonly volatilityBps: number;
};

/** Pair, decimals of price and size, price in ticks, pace, volatility. */
type NamedRow = readonly [string, number, number, number, number, number];

/** Names, magnitudes and scales as people know them; the prices are only starting points. */
const NAMED: readonly NamedRow[] = [
  ["BTC-USD", 2, 5, 9_500_000, 1, 0.9],
  ["ETH-USD", 2, 4, 340_000, 0.8, 1.2],
  ["SOL-USD", 3, 3, 165_000, 0.6, 1.6],
  ["XRP-USD", 4, 1, 21_500, 0.4, 1.5],
  ["ADA-USD", 4, 1, 6_500, 0.2, 1.7],
  ["LTC-USD", 2, 3, 9_800, 0.12, 1.3],
  ["LINK-USD", 3, 2, 14_800, 0.15, 1.6],
  ["DOGE-USD", 5, 0, 16_400, 0.35, 1.9],
  ["AVAX-USD", 3, 2, 17_300, 0.15, 1.8],
  ["SHIB-USD", 8, 0, 9_120, 0.25, 2],
  [TETHER_SYMBOL, 5, 2, 99_980, 0.1, 0.04],
  ["BTC-USDT", 2, 5, 9_500_000, 0.6, 0.9],
  ["ETH-USDT", 2, 4, 340_000, 0.4, 1.2],
  ["SOL-USDT", 3, 3, 165_000, 0.3, 1.6],
  ["XRP-USDT", 4, 1, 21_500, 0.2, 1.5],
  ["DOGE-USDT", 5, 0, 16_400, 0.15, 1.9],
  ["ADA-USDT", 4, 1, 6_500, 0.1, 1.7],
  ["BNB-USD", 2, 3, 61_200, 0.12, 1.1],
  ["TRX-USD", 5, 1, 24_300, 0.1, 0.9],
  ["DOT-USD", 4, 2, 71_400, 0.1, 1.4],
  ["SUI-USD", 4, 2, 34_150, 0.12, 1.7],
  ["UNI-USD", 3, 2, 9_820, 0.1, 1.4],
  ["NEAR-USD", 4, 2, 52_600, 0.1, 1.5],
  ["ATOM-USD", 4, 2, 63_900, 0.1, 1.3],
  ["AAVE-USD", 2, 3, 21_040, 0.1, 1.4],
  ["BCH-USD", 2, 4, 43_210, 0.1, 1.2],
  ["XLM-USD", 6, 1, 318_400, 0.1, 1.3],
  ["ARB-USD", 5, 1, 78_300, 0.1, 1.6],
  ["OP-USD", 4, 1, 16_220, 0.1, 1.6],
  ["PEPE-USD", 10, 0, 125_400, 0.14, 2],
];
/** Traders of a perpetual are in more of a hurry than those of its spot market. */
const PERPETUAL_PACE = 1.25;
/**
 * Levels of the busiest book are about this share of the price apart, or a tick where that is more;
 * at others by the square root of their pace, since fewer orders have to fill them.
 */
const GAP_SHARE = 6e-6;
/** Value of an order at the busiest instrument; at others by the square root of their pace. */
const ORDER_VALUE_USD = 4_000;

/** How many instruments of each kind the simulated venue lists. */
type SimulatedCounts = {
  /** Spot instruments: BTC-USD, ETH-USD, ... and SIM030-USD on after the named ones. */
  readonly instruments: number;
  /** Perpetuals on the first of them, such as BTC-USD-PERP; never more than `instruments`. */
  readonly perpetuals: number;
};

/** The list, spot first. The same counts always give the same list. */
export function listSimulatedInstruments(counts: SimulatedCounts): SimulatedInstrument[] {
  const spot = Array.from({ length: counts.instruments }, (_, index) => spotInstrument(index));
  const perpetuals = spot.slice(0, counts.perpetuals).map((underlying): SimulatedInstrument => ({
    ...underlying,
    symbol: `${underlying.symbol}-PERP`,
    kind: "perpetual",
    underlying: underlying.symbol,
    pace: underlying.pace * PERPETUAL_PACE,
  }));
  return [...spot, ...perpetuals];
}

/** The spot instrument at this place of a list that has no end. */
export function spotInstrument(index: number): SimulatedInstrument {
  const named = namedInstrument(index);
  const { base, quote, priceScale, sizeScale, referenceTicks, pace } = named;
  const price = referenceTicks / 10 ** priceScale;
  const orderValue = ORDER_VALUE_USD * Math.sqrt(pace);
  const symbol = `${base}-${quote}`;
  return {
    ...named,
    symbol,
    kind: "spot",
    underlying: undefined,
    follows: quote === "USDT" ? `${base}-USD` : undefined,
    isPegged: symbol === TETHER_SYMBOL,
    orderLots: Math.max(1, Math.round((orderValue / price) * 10 ** sizeScale)),
    gapTicks: Math.max(1, Math.round((referenceTicks * GAP_SHARE) / Math.sqrt(pace))),
  };
}

function namedInstrument(index: number): Named {
  const row = NAMED[index];
  if (row !== undefined) {
    const [pair, priceScale, sizeScale, referenceTicks, pace, volatilityBps] = row;
    const [base = "", quote] = pair.split("-");
    const scales = { priceScale, sizeScale, referenceTicks, pace, volatilityBps };
    return { base, quote: quote === "USDT" ? "USDT" : "USD", ...scales };
  }
  return {
    base: `SIM${String(index).padStart(3, "0")}`,
    quote: "USD",
    priceScale: 2 + (index % 4),
    sizeScale: index % 5,
    referenceTicks: 5_000 + ((index * 7_919) % 90_000),
    pace: 0.02 + (index % 7) / 100,
    volatilityBps: 1 + (index % 3),
  };
}
