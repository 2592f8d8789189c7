// https://docs.bitfinex.com/docs/ws-general
// https://docs.bitfinex.com/reference/ws-public-raw-books
import type { Channel, Instrument } from "#core/instrument.ts";

/**
 * The venue's kinds of channels; `deriv` and `liq` are both called `status`. What we never ask for
 * is `ignored`: recordings of others have it.
 */
export type BitfinexKind = "book" | "trades" | "ticker" | "candles" | "deriv" | "liq" | "ignored";

/** One of the connection's channels, by the id that the venue gave it. */
export type BitfinexChannel = {
  readonly kind: BitfinexKind;
  /** Undefined for liquidations, which are of all instruments. */
  readonly instrument: Instrument | undefined;
  /** How long a candle is; 0 for other kinds. */
  readonly intervalMs: number;
};

/** What an answer to a subscription is about. */
export type BitfinexSubject = {
  readonly kind: BitfinexKind | undefined;
  readonly venueSymbol: string | undefined;
  readonly intervalMs: number;
};

/** What is published of a kind. */
export const BITFINEX_CHANNELS_OF: Readonly<Record<BitfinexKind, readonly Channel[]>> = {
  book: ["book"],
  trades: ["trades"],
  ticker: ["ticker"],
  candles: ["candles"],
  deriv: ["funding", "mark-price", "open-interest"],
  liq: ["liquidations"],
  ignored: [],
};

const MINUTE_MS = 60_000;
const INTERVALS_MS: Readonly<Record<string, number>> = {
  "1m": MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "30m": 30 * MINUTE_MS,
  "1h": 60 * MINUTE_MS,
  "3h": 180 * MINUTE_MS,
  "6h": 360 * MINUTE_MS,
  "12h": 720 * MINUTE_MS,
  "1D": 1440 * MINUTE_MS,
  "7D": 7 * 1440 * MINUTE_MS,
  "1W": 7 * 1440 * MINUTE_MS,
  "14D": 14 * 1440 * MINUTE_MS,
};

/** Reads the subject by `symbol`, or by `key`. */
export function bitfinexSubjectOf(field: (name: string) => string | undefined): BitfinexSubject {
  const key = field("key") ?? "";
  const venueSymbol = field("symbol");
  const name = field("channel");
  // Lending, of `fUSD` and so on, is no market of ours.
  if (venueSymbol?.startsWith("f") === true) return { kind: "ignored", venueSymbol, intervalMs: 0 };
  switch (name) {
    case "book": {
      // R0 has orders in place of levels, P1 to P4 round prices: neither is the book.
      const precision = field("prec") ?? "P0";
      return { kind: precision === "P0" ? "book" : "ignored", venueSymbol, intervalMs: 0 };
    }
    case "trades":
    case "ticker":
      return { kind: name, venueSymbol, intervalMs: 0 };
    case "candles": {
      const [, interval = "", symbol] = /^trade:([^:]+):(.+)$/.exec(key) ?? [];
      const intervalMs = INTERVALS_MS[interval];
      return intervalMs === undefined
        ? { kind: "ignored", venueSymbol: symbol, intervalMs: 0 }
        : { kind: "candles", venueSymbol: symbol, intervalMs };
    }
    case "status":
      return key.startsWith("deriv:")
        ? { kind: "deriv", venueSymbol: key.slice("deriv:".length), intervalMs: 0 }
        : { kind: "liq", venueSymbol: undefined, intervalMs: 0 };
    case undefined:
    default:
      return { kind: undefined, venueSymbol, intervalMs: 0 };
  }
}
