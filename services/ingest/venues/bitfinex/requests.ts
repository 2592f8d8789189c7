// https://docs.bitfinex.com/docs/ws-general
import type { Channel } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { batchesOf } from "../../reading/batches.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { intervalsNamed } from "../../reading/interval-names.ts";

/** The venue's channels on one connection; the next is refused with error 10305. */
const CHANNELS_MAX = 25;

const BOOK_LENGTHS = [25, 100, 250] as const;

/** What is asked for, by channel. */
const REQUESTS: Partial<
  Record<Channel, (venueSymbol: string, bookDepth: number) => Readonly<Record<string, string>>>
> = {
  trades: (symbol) => ({ channel: "trades", symbol }),
  ticker: (symbol) => ({ channel: "ticker", symbol }),
  book: (symbol, bookDepth) => ({
    channel: "book",
    symbol,
    prec: "P0",
    freq: "F0",
    len: String(BOOK_LENGTHS.find((length) => length >= bookDepth) ?? 250),
  }),
  candles: (symbol) => ({ channel: "candles", key: `trade:1m:${symbol}` }),
  funding: (symbol) => ({ channel: "status", key: `deriv:${symbol}` }),
  "mark-price": (symbol) => ({ channel: "status", key: `deriv:${symbol}` }),
  "open-interest": (symbol) => ({ channel: "status", key: `deriv:${symbol}` }),
  liquidations: () => ({ channel: "status", key: "liq:global" }),
};

/**
 * The venue's kinds of channels; `deriv` and `liq` are both called `status`. What we never ask for
 * is `ignored`: recordings of others have it.
 */
export type BitfinexKind = "book" | "trades" | "ticker" | "candles" | "deriv" | "liq" | "ignored";

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

const INTERVALS_MS = intervalsNamed("1m 5m 15m 30m 1h 3h 6h 12h 1D 7D 1W 14D".split(" "));

/** Reads the subject by `symbol`, or by `key`. */
export function bitfinexSubjectOf(field: (name: string) => string | undefined): BitfinexSubject {
  const key = field("key") ?? "";
  const venueSymbol = field("symbol");
  // Lending, of `fUSD` and so on, is no market of ours.
  if (venueSymbol?.startsWith("f") === true) return { kind: "ignored", venueSymbol, intervalMs: 0 };
  const name = field("channel") ?? "";
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
      const intervalMs = INTERVALS_MS.get(interval);
      return intervalMs === undefined
        ? { kind: "ignored", venueSymbol: symbol, intervalMs: 0 }
        : { kind: "candles", venueSymbol: symbol, intervalMs };
    }
    case "status":
      return key.startsWith("deriv:")
        ? { kind: "deriv", venueSymbol: key.slice("deriv:".length), intervalMs: 0 }
        : { kind: "liq", venueSymbol: undefined, intervalMs: 0 };
    default:
      return { kind: undefined, venueSymbol, intervalMs: 0 };
  }
}

/** Funding, marks and liquidations are of perpetuals alone; all liquidations share a connection. */
export function planBitfinex(
  subscriptions: readonly FeedSubscription[],
  { webSocket: url }: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const wanted = subscriptions.filter(({ channel }) => REQUESTS[channel] !== undefined);
  const liquidations = wanted.filter(({ channel }) => channel === "liquidations");
  const others = wanted.filter(({ channel }) => channel !== "liquidations");
  const plans: FeedSubscription[][] = [];
  let used = CHANNELS_MAX;
  // One plan for each instrument, of which as many share a connection as it has channels for.
  for (const { subscriptions: together } of planByInstrument(others, {
    url,
    subscriptionsMax: 1,
  })) {
    const count = new Set(together.map(keyOf)).size;
    if (used + count > CHANNELS_MAX) {
      plans.push([]);
      used = 0;
    }
    plans.at(-1)?.push(...together);
    used += count;
  }
  plans.push(...batchesOf(liquidations, subscriptionsMax));
  return plans.map((planned) => ({ url, subscriptions: planned }));
}

/** Two subscriptions with the same key come by one channel of the venue. */
function keyOf({ instrument, channel }: FeedSubscription): string {
  return JSON.stringify(REQUESTS[channel]?.(instrument.venueSymbol, 0));
}

export function bitfinexRequests(
  subscriptions: readonly FeedSubscription[],
  { bookDepth }: FeedSubscribeOptions,
): readonly string[] {
  const frames = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const request = REQUESTS[channel]?.(instrument.venueSymbol, bookDepth);
    if (request !== undefined) frames.add(JSON.stringify({ event: "subscribe", ...request }));
  }
  return [...frames];
}
