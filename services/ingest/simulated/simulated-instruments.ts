/**
 * One instrument of the simulated venue. Prices are whole ticks of 10^-priceScale, sizes lots of
 * 10^-sizeScale.
 */
export type SimulatedInstrument = {
  readonly symbol: string;
  readonly kind: "spot" | "perpetual";
  readonly base: string;
  readonly quote: "USD";
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
};

/** What is known of an instrument before the rest is computed from it. */
type Named = {
  readonly base: string;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly referenceTicks: number;
  readonly pace: number;
  readonly volatilityBps: number;
};

/** base, decimals of price and size, price in ticks, pace, volatility. */
type NamedRow = readonly [string, number, number, number, number, number];

/** Names, magnitudes and scales as people know them; the prices are only starting points. */
const NAMED: readonly NamedRow[] = [
  ["BTC", 2, 5, 9_500_000, 1, 0.9],
  ["ETH", 2, 4, 340_000, 0.8, 1.2],
  ["SOL", 3, 3, 165_000, 0.6, 1.6],
  ["XRP", 4, 1, 21_500, 0.4, 1.5],
  ["ADA", 4, 1, 6_500, 0.2, 1.7],
  ["LTC", 2, 3, 9_800, 0.12, 1.3],
  ["LINK", 3, 2, 14_800, 0.15, 1.6],
  ["DOGE", 5, 0, 16_400, 0.35, 1.9],
  ["AVAX", 3, 2, 17_300, 0.15, 1.8],
  ["SHIB", 8, 0, 9_120, 0.25, 2],
];
/** Traders of a perpetual are in more of a hurry than those of its spot market. */
const PERPETUAL_PACE = 1.25;
/** Levels are about this share of the price apart, or a tick where that is more. */
const GAP_SHARE = 6e-6;
/** Value of an order at the busiest instrument; at others by the square root of their pace. */
const ORDER_VALUE_USD = 4_000;

/** How many instruments of each kind the simulated venue lists. */
type SimulatedCounts = {
  /** Spot instruments: BTC-USD, ETH-USD, ... and SIM010-USD on after the named ones. */
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

function spotInstrument(index: number): SimulatedInstrument {
  const named = namedInstrument(index);
  const { base, priceScale, sizeScale, referenceTicks, pace } = named;
  const price = referenceTicks / 10 ** priceScale;
  const orderValue = ORDER_VALUE_USD * Math.sqrt(pace);
  return {
    ...named,
    symbol: `${base}-USD`,
    kind: "spot",
    quote: "USD",
    underlying: undefined,
    orderLots: Math.max(1, Math.round((orderValue / price) * 10 ** sizeScale)),
    gapTicks: Math.max(1, Math.round(referenceTicks * GAP_SHARE)),
  };
}

function namedInstrument(index: number): Named {
  const row = NAMED[index];
  if (row !== undefined) {
    const [base, priceScale, sizeScale, referenceTicks, pace, volatilityBps] = row;
    return { base, priceScale, sizeScale, referenceTicks, pace, volatilityBps };
  }
  return {
    base: `SIM${String(index).padStart(3, "0")}`,
    priceScale: 2 + (index % 4),
    sizeScale: index % 5,
    referenceTicks: 5_000 + ((index * 7_919) % 90_000),
    pace: 0.02 + (index % 7) / 100,
    volatilityBps: 1 + (index % 3),
  };
}
