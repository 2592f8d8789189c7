// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#websocket-subscriptions
import { type Channel, DERIVATIVE_CHANNELS, type Instrument } from "#core/instrument.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../../feed/feed-adapter.ts";
import type { Asked } from "../../reading/subscription-answers.ts";

/** What one of the venue's channels is read as. */
export type CryptocomChannel = Extract<
  Channel,
  "trades" | "book" | "ticker" | "candles" | "funding" | "mark-price"
>;

/** What the venue's channels are published as; the first is what damage is told of. */
const CHANNELS: ReadonlyMap<string, readonly [CryptocomChannel, ...Channel[]]> = new Map([
  ["trade", ["trades"]],
  ["book", ["book"]],
  ["book.update", ["book"]],
  ["ticker", ["ticker", "quotes", "open-interest"]],
  ["candlestick", ["candles"]],
  ["funding", ["funding"]],
  ["mark", ["mark-price"]],
]);

const PREFIX_OF: Partial<Record<Channel, string>> = {
  trades: "trade.",
  quotes: "ticker.",
  ticker: "ticker.",
  candles: "candlestick.1m.",
  funding: "funding.",
  "mark-price": "mark.",
  "open-interest": "ticker.",
};

/** Levels a side of the smaller of the two books. */
const SMALL_BOOK_LEVELS = 10;
const LARGE_BOOK_LEVELS = 50;

/** What is published of one of the venue's channels; nothing if it is none that is read. */
export function channelsOfName(
  name: string | undefined,
): readonly [] | readonly [CryptocomChannel, ...Channel[]] {
  return CHANNELS.get(name ?? "") ?? [];
}

/** The name of the index that a contract follows: `BTCUSD-INDEX` of `BTCUSD-PERP`. */
export function indexNameOf({ venueSymbol }: Instrument): string {
  return `${venueSymbol.split("-", 1)[0]}-INDEX`;
}

/** Spot has nothing of contracts, and what ends on a day has no funding. */
export function isOffered({ instrument, channel }: FeedSubscription): boolean {
  if (channel !== "book" && PREFIX_OF[channel] === undefined) return false;
  if (channel === "funding") return instrument.kind === "perpetual";
  return instrument.kind !== "spot" || !DERIVATIVE_CHANNELS.has(channel);
}

/**
 * A frame for each name, so that a bad one costs the others nothing. The index is another
 * instrument to the venue, and comes with the mark price.
 */
export function cryptocomRequests(
  method: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { requestId, bookDepth }: FeedSubscribeOptions,
): readonly string[] {
  const names = new Set<string>();
  const depth = bookDepth > SMALL_BOOK_LEVELS ? LARGE_BOOK_LEVELS : SMALL_BOOK_LEVELS;
  for (const wanted of subscriptions.filter(isOffered)) {
    const { instrument, channel } = wanted;
    if (channel === "book") names.add(`book.${instrument.venueSymbol}.${depth}`);
    else names.add(`${PREFIX_OF[channel]}${instrument.venueSymbol}`);
    if (channel !== "mark-price") continue;
    // Other contracts of the connection may follow the same index.
    if (method === "subscribe") names.add(`index.${indexNameOf(instrument)}`);
  }
  return Array.from(names, (name, index) => {
    const params = { channels: [name], ...(name.startsWith("book.") ? BOOK_FORM : {}) };
    return JSON.stringify({ id: requestId + index, method, params });
  });
}

/** Changes rather than whole books, every 100 ms at most. */
const BOOK_FORM = {
  book_subscription_type: "SNAPSHOT_AND_UPDATE",
  book_update_frequency: 100,
};

/** What a name that was asked for is published as; undefined if nothing is. */
export function askedByName(name: string): Asked | undefined {
  const [prefix, ...rest] = name.split(".");
  const channels = channelsOfName(prefix);
  // A book's name ends with its levels, a candle's begins with its length.
  const venueSymbol = prefix === "candlestick" ? rest[1] : rest[0];
  return channels.length === 0 || venueSymbol === undefined ? undefined : { venueSymbol, channels };
}
