import type { Channel } from "#core/instrument.ts";

/**
 * Every channel that a venue can have, for venues that have them all, in the order in which they
 * are subscribed to and told of. Not among them is `status`, which is Tickwire's own.
 */
export const ALL_CHANNELS: readonly Channel[] = [
  "trades",
  "quotes",
  "book",
  "ticker",
  "candles",
  "funding",
  "mark-price",
  "open-interest",
  "liquidations",
];
