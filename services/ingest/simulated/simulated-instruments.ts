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
  /** The spot instrument that a perpetual follows. */
  readonly underlying: string | undefined;
};

/** Names, magnitudes and scales as people know them; the prices are only starting points. */
const NAMED = [
  { base: "BTC", priceScale: 2, sizeScale: 5, referenceTicks: 9_500_000 },
  { base: "ETH", priceScale: 2, sizeScale: 4, referenceTicks: 340_000 },
  { base: "SOL", priceScale: 3, sizeScale: 3, referenceTicks: 165_000 },
  { base: "XRP", priceScale: 4, sizeScale: 1, referenceTicks: 21_500 },
  { base: "ADA", priceScale: 4, sizeScale: 1, referenceTicks: 6_500 },
  { base: "LTC", priceScale: 2, sizeScale: 3, referenceTicks: 9_800 },
  { base: "LINK", priceScale: 3, sizeScale: 2, referenceTicks: 14_800 },
  { base: "DOGE", priceScale: 5, sizeScale: 0, referenceTicks: 16_400 },
  { base: "AVAX", priceScale: 3, sizeScale: 2, referenceTicks: 17_300 },
  { base: "SHIB", priceScale: 8, sizeScale: 0, referenceTicks: 9_120 },
] as const;

/** How many instruments of each kind the simulated venue lists. */
export type SimulatedCounts = {
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
  }));
  return [...spot, ...perpetuals];
}

function spotInstrument(index: number): SimulatedInstrument {
  const named = NAMED[index] ?? {
    base: `SIM${String(index).padStart(3, "0")}`,
    priceScale: 2 + (index % 4),
    sizeScale: index % 5,
    referenceTicks: 5_000 + ((index * 7_919) % 90_000),
  };
  return {
    ...named,
    symbol: `${named.base}-USD`,
    kind: "spot",
    quote: "USD",
    underlying: undefined,
  };
}
