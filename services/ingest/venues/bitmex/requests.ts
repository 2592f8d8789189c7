// https://www.bitmex.com/app/wsAPI
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../../feed/feed-adapter.ts";

/** What is published of each of the venue's tables. */
const CHANNELS: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["trade", ["trades"]],
  ["quote", ["quotes"]],
  ["orderBookL2", ["book"]],
  ["orderBookL2_25", ["book"]],
  ["instrument", ["ticker", "mark-price", "funding", "open-interest"]],
  ["liquidation", ["liquidations"]],
  ["tradeBin1m", ["candles"]],
  // What was paid; never asked for, since the table of instruments has what will be.
  ["funding", ["funding"]],
]);

/** The table of each channel but the book. */
const TABLES: Partial<Record<Channel, string>> = {
  trades: "trade",
  quotes: "quote",
  ticker: "instrument",
  "mark-price": "instrument",
  funding: "instrument",
  "open-interest": "instrument",
  liquidations: "liquidation",
  candles: "tradeBin1m",
};

/** Levels per side in the smaller of the two books. */
const SMALL_BOOK_LEVELS = 25;

const DERIVATIVES_ONLY: ReadonlySet<Channel> = new Set([
  "mark-price",
  "funding",
  "open-interest",
  "liquidations",
]);

/** What is published of a table; nothing if it is not one of those that are asked for. */
export function channelsOfTable(table: string): readonly Channel[] {
  return CHANNELS.get(table) ?? [];
}

/** Dated futures have no funding, and spot nothing that contracts have. */
export function isOffered({ instrument, channel }: FeedSubscription): boolean {
  if (channel === "funding") return instrument.kind === "perpetual";
  return instrument.kind !== "spot" || !DERIVATIVES_ONLY.has(channel);
}

/** One topic a frame, so that a bad one costs the others nothing. */
export function bitmexFrames(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { bookDepth }: FeedSubscribeOptions,
): readonly string[] {
  const book = bookDepth > SMALL_BOOK_LEVELS ? "orderBookL2" : "orderBookL2_25";
  const topics = new Set<string>();
  for (const { instrument, channel } of subscriptions.filter(isOffered)) {
    const table = channel === "book" ? book : TABLES[channel];
    if (table !== undefined) topics.add(`${table}:${instrument.venueSymbol}`);
  }
  return [...topics].map((topic) => JSON.stringify({ op, args: [topic] }));
}
