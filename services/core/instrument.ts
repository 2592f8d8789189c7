import { CHANNELS } from "@tickwire/proto/model";
import type { Channel, InstrumentKind, InstrumentState } from "@tickwire/proto/model";

export { CHANNELS, type Channel } from "@tickwire/proto/model";
export type { InstrumentKind, InstrumentState } from "@tickwire/proto/model";

/** What a size counts: units of the base or of the quote asset, or contracts. */
type SizeUnit = "base" | "quote" | "contract";

/**
 * One tradable thing at one venue. Decimals are exact plain text, as the venue writes them.
 * Object identity is stable: a catalog hands out one object per instrument, so it may key a Map.
 */
export type Instrument = {
  /** Lower-case venue id, such as `binance-usdm`. */
  readonly venue: string;
  /** Tickwire's symbol, unique within the venue, such as `BTC-USDT-PERP`. */
  readonly symbol: string;
  /** The venue's own symbol, such as `BTCUSDT`. Unique within the venue and `venueMarket`. */
  readonly venueSymbol: string;
  /**
   * The part of the venue that the symbol belongs to, as the venue names it (`linear`), where the
   * same symbol means different things in different parts; absent elsewhere.
   */
  readonly venueMarket?: string;
  readonly kind: InstrumentKind;
  readonly base: string;
  readonly quote: string;
  /** What profit and loss is paid in; the quote asset for spot. */
  readonly settle: string;
  /** True if contracts are worth a fixed amount of the quote asset. */
  readonly inverse: boolean;
  /** Worth of one contract in units of `base` (or of `quote` if inverse). */
  readonly contractSize?: string;
  /** What the sizes of trades, quotes and books count; `base` if absent. */
  readonly sizeUnit?: SizeUnit;
  readonly priceIncrement?: string;
  readonly sizeIncrement?: string;
  readonly expiryTimeUs?: number;
  readonly strike?: string;
  readonly optionType?: "call" | "put";
  /** What can be done with it now; absent if the venue does not say. */
  readonly state?: InstrumentState;
  /** The same in the venue's own words. */
  readonly stateWord?: string;
};

/** Channels that come from venues: all but what is said about instruments and of their list. */
export const FEED_CHANNELS: readonly Channel[] = CHANNELS.filter(
  (channel) => channel !== "status" && channel !== "listings",
);

/** Channels that spot instruments do not have. */
export const DERIVATIVE_CHANNELS: ReadonlySet<Channel> = new Set<Channel>([
  "funding",
  "mark-price",
  "open-interest",
  "liquidations",
]);

/** States in which orders match as they come, so that a book cannot stay crossed. */
const MATCHING_STATES: ReadonlySet<InstrumentState> = new Set<InstrumentState>([
  "trading",
  "post-only",
  "limit-only",
  "reduce-only",
]);

/**
 * Whether orders match as they come, so that a crossed book shows a fault; undefined if the venue
 * has not said.
 */
export function isMatching({ state }: Pick<Instrument, "state">): boolean | undefined {
  return state === undefined ? undefined : MATCHING_STATES.has(state);
}

/** The symbol of a venue's market as a whole. Instruments have no channel that it has. */
export const MARKET_SYMBOL = "all";

/** A venue's market as a whole, of which its list is a topic. One object for each call. */
export function marketOf(venue: string): Instrument {
  return {
    venue,
    symbol: MARKET_SYMBOL,
    venueSymbol: MARKET_SYMBOL,
    kind: "spot",
    base: "",
    quote: "",
    settle: "",
    inverse: false,
  };
}

/**
 * True where a price of zero or below is a price: that of a combo is what its legs are worth
 * together, bought and sold.
 */
export function hasSignedPrices({ kind }: Pick<Instrument, "kind">): boolean {
  return kind === "combo";
}
