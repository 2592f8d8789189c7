import type { Channel, InstrumentKind, InstrumentState } from "@tickwire/proto/model";

export type { InstrumentKind, InstrumentState } from "@tickwire/proto/model";

/**
 * One tradable thing at one venue. Each decimal is there as the nearest double and, with `Text`,
 * exactly; what is unknown or does not apply is undefined.
 */
export type Instrument = {
  /** Lower case, such as `binance-usdm`. */
  readonly venue: string;
  /** Tickwire's symbol, unique within the venue, such as `BTC-USDT-PERP`. */
  readonly symbol: string;
  /** The venue's own symbol, such as `BTCUSDT`. */
  readonly venueSymbol: string;
  /** The part of the venue that `venueSymbol` belongs to, where it means different things. */
  readonly venueMarket: string | undefined;
  /** What kind of thing it is. */
  readonly kind: InstrumentKind | undefined;
  /** The asset that is traded. */
  readonly base: string;
  /** The asset that it is priced in. */
  readonly quote: string;
  /** The asset that profit and loss is paid in; equal to `quote` for spot. */
  readonly settle: string | undefined;
  /** True if contracts are worth a fixed amount of the quote asset. */
  readonly inverse: boolean;
  /** What its sizes count. */
  readonly sizeUnit: "base" | "quote" | "contract" | undefined;
  /** Worth of one contract in units of `base`, or of `quote` if inverse; undefined for spot. */
  readonly contractSize: number | undefined;
  /** Exact plain decimal. */
  readonly contractSizeText: string | undefined;
  /** Smallest price step. */
  readonly priceIncrement: number | undefined;
  /** Exact plain decimal. */
  readonly priceIncrementText: string | undefined;
  /** Smallest size step. */
  readonly sizeIncrement: number | undefined;
  /** Exact plain decimal. */
  readonly sizeIncrementText: string | undefined;
  /** Microseconds since 1970; undefined if it does not expire. */
  readonly expiryTimeUs: number | undefined;
  /** Options only. */
  readonly strike: number | undefined;
  /** Exact plain decimal. */
  readonly strikeText: string | undefined;
  /** Options only. */
  readonly optionType: "call" | "put" | undefined;
  /** The channels that are streamed for it now. */
  readonly channels: readonly Channel[];
  /** The lengths of the candles that are streamed of it, rising; empty if there are none. */
  readonly candleIntervalsMs: readonly number[];
  /** The lengths that `getCandles` has from the time before they were streamed, rising. */
  readonly candleHistoryIntervalsMs: readonly number[];
  /** What can be done with it at the venue now; undefined if the venue does not say. */
  readonly state: InstrumentState | undefined;
  /** The state in the venue's own words, such as `BREAK`; undefined if there are none. */
  readonly stateWord: string | undefined;
};
