/** What can be streamed about an instrument; the last part of a topic. */
export const CHANNELS = [
  "trades",
  "quotes",
  "book",
  "candles",
  "ticker",
  "funding",
  "mark-price",
  "open-interest",
  "liquidations",
  "status",
] as const;

/** One of CHANNELS. */
export type Channel = (typeof CHANNELS)[number];
