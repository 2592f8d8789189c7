// https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../../feed/feed-adapter.ts";
import { batchesOf } from "../../reading/batches.ts";
import type { Asked } from "../../reading/subscription-answers.ts";

/** Names in one request. */
const CHANNELS_PER_FRAME_MAX = 100;

/** What the venue's channels are called around the instrument's name. */
const VENUE_CHANNELS: Partial<Record<Channel, (venueSymbol: string) => string>> = {
  // `raw` is for logged-in connections only.
  trades: (name) => `trades.${name}.100ms`,
  liquidations: (name) => `trades.${name}.100ms`,
  book: (name) => `book.${name}.100ms`,
  quotes: (name) => `quote.${name}`,
  ticker: (name) => `ticker.${name}.100ms`,
  funding: (name) => `ticker.${name}.100ms`,
  "mark-price": (name) => `ticker.${name}.100ms`,
  "open-interest": (name) => `ticker.${name}.100ms`,
  candles: (name) => `chart.trades.${name}.1`,
};

/** What is published of the venue's channels, by the first part of their names. */
const CHANNELS: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["book", ["book"]],
  ["trades", ["trades", "liquidations"]],
  ["quote", ["quotes"]],
  ["ticker", ["ticker", "funding", "mark-price", "open-interest"]],
  ["chart", ["candles"]],
]);

/** What a channel is about: `book.BTC-PERPETUAL.100ms`, `chart.trades.ETH-PERPETUAL.1`. */
export function partsOf(name: string): Asked {
  const [kind = "", ...rest] = name.split(".");
  const venueSymbol = (kind === "chart" ? rest[1] : rest[0]) ?? "";
  return { venueSymbol, channels: CHANNELS.get(kind) ?? [] };
}

const NOT_OF_SPOT: ReadonlySet<Channel> = new Set<Channel>([
  "mark-price",
  "open-interest",
  "liquidations",
]);

/** What the documentation shows of combos; positions are held in their legs. */
const OF_COMBOS: ReadonlySet<Channel> = new Set<Channel>([
  "trades",
  "quotes",
  "book",
  "ticker",
  "mark-price",
]);

/** Funding is for perpetuals; spot has neither marks nor liquidations. */
export function isOffered({ instrument: { kind }, channel }: FeedSubscription): boolean {
  if (channel === "funding") return kind === "perpetual";
  if (kind === "combo") return OF_COMBOS.has(channel);
  return kind !== "spot" || !NOT_OF_SPOT.has(channel);
}

export function deribitFrames(
  method: "public/subscribe" | "public/unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  const names = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const name = VENUE_CHANNELS[channel]?.(instrument.venueSymbol);
    if (name !== undefined) names.add(name);
  }
  return batchesOf(names, CHANNELS_PER_FRAME_MAX).map((channels, index) =>
    deribitRequest(requestId + index, method, { channels }),
  );
}

export function deribitRequest(id: number, method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}
