// https://www.mexc.com/api-docs/spot-v3/websocket-market-streams
// https://github.com/mexcdevelop/websocket-proto
import type { Channel } from "#core/instrument.ts";

/** Where one message stands in a frame. */
export type MexcBody = {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
};

/** Fields of the message that every data frame is. */
export const WRAPPER = { channel: 1, symbol: 3, createTime: 5, sendTime: 6 } as const;

/** Fields of that message, of which a frame has one: what it is about. */
export const BODY = { candle: 308, book: 313, trades: 314, quote: 315 } as const;

/** A frame has one body, and these are all; what is not read is not asked for. */
export const BODIES_FROM = 301;
export const BODIES_TO = 399;

export const BOOK = { asks: 1, bids: 2, fromVersion: 4, toVersion: 5 } as const;
export const LEVEL = { price: 1, quantity: 2 } as const;
export const TRADES = { deals: 1 } as const;
export const DEAL = { price: 1, quantity: 2, tradeType: 3, time: 4, tradeId: 5 } as const;
export const QUOTE = { bidPrice: 1, bidQuantity: 2, askPrice: 3, askQuantity: 4 } as const;
export const CANDLE = {
  interval: 1,
  windowStart: 2,
  open: 3,
  close: 4,
  high: 5,
  low: 6,
  volume: 7,
  amount: 8,
} as const;

/** What the venue's streams are called, in front of how often they come and of the symbol. */
const STREAMS: ReadonlyMap<string, Channel> = new Map([
  ["public.aggre.deals.v3.api.pb", "trades"],
  ["public.aggre.depth.v3.api.pb", "book"],
  ["public.aggre.bookTicker.v3.api.pb", "quotes"],
  ["public.kline.v3.api.pb", "candles"],
]);

/** The stream that has a channel, up to the symbol and behind it. */
const PARTS_OF: Partial<Record<Channel, readonly [string, string]>> = {
  trades: ["spot@public.aggre.deals.v3.api.pb@10ms@", ""],
  book: ["spot@public.aggre.depth.v3.api.pb@10ms@", ""],
  quotes: ["spot@public.aggre.bookTicker.v3.api.pb@10ms@", ""],
  candles: ["spot@public.kline.v3.api.pb@", "@Min1"],
};

/** The name of the stream that has a channel; undefined if there is none. */
export function streamOf(channel: Channel, venueSymbol: string): string | undefined {
  const parts = PARTS_OF[channel];
  return parts === undefined ? undefined : `${parts[0]}${venueSymbol}${parts[1]}`;
}

/** What a stream is of; undefined if it is none of those that are asked for. */
export function parseStream(
  name: string | undefined,
): { readonly channel: Channel; readonly venueSymbol: string } | undefined {
  const [, stream = "", first, second] = (name ?? "").split("@");
  const channel = STREAMS.get(stream);
  const venueSymbol = channel === "candles" ? first : second;
  return channel === undefined || venueSymbol === undefined ? undefined : { channel, venueSymbol };
}
