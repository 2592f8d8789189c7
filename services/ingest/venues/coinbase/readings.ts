// https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { type Emit, type EventSubject, reject, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { quoteEvent, type QuoteSideTexts } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { emitStates } from "../../reading/state-events.ts";
import { isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { tickerEvent, type TickerTexts } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { productState } from "./instruments.ts";

/** The side of a match is the maker's, so the taker stood on the other one. */
export const MATCH_SIDES = { buyer: "sell", seller: "buy" };

/** The trade that is told of, in the stream or in a list, by either venue. */
export function tradeOf(
  { side, price, size }: JsonRecord,
  subject: EventSubject,
  about: {
    /** Undefined if the trade has no id. */
    readonly tradeId: string | undefined;
    readonly historical: boolean;
    /** What its side is if the taker was the buyer, and if the taker was the seller. */
    readonly sides: { readonly buyer: string; readonly seller: string };
    readonly scales: ScaleTracker;
  },
): Trade | RejectReason {
  const { tradeId, historical, sides, scales } = about;
  const aggressorSide = takerSide(side, sides);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  return tradeEvent(subject, scales, { price, size, aggressorSide, tradeId, historical });
}

/** What is known of the trades of a product on one connection. */
export type NumberedTrades = {
  /** Trades of a product are numbered without a hole. Undefined unless matches are subscribed. */
  lastTradeId: number | undefined;
};

/** Tells of a match, and before it of a hole in the numbers. */
export function emitMatch(product: NumberedTrades, trade: Trade, id: number, emit: Emit): void {
  noteMatch(product, trade.instrument, id, emit);
  emit(trade);
}

/** Tells of a hole before the match of this number. */
export function noteMatch(
  product: NumberedTrades,
  instrument: Instrument,
  id: number,
  emit: Emit,
): void {
  const last = product.lastTradeId ?? id - 1;
  if (id > last + 1) rejectOf(emit, "missing-data", instrument, "trades");
  if (id > last) product.lastTradeId = id;
}

/** Reads a ticker with its best prices, which are a quote too if they are one. */
export function readBestPrices(
  texts: TickerTexts,
  {
    bid,
    ask,
    isQuote,
  }: {
    readonly bid: QuoteSideTexts;
    readonly ask: QuoteSideTexts;
    readonly isQuote: boolean;
  },
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const ticker = tickerEvent(subject, { ...texts, bidPrice: bid.price, askPrice: ask.price });
  if (typeof ticker === "string") return ticker;
  if (isQuote) {
    const quote = quoteEvent(subject, scales, bid, ask);
    if (typeof quote === "string") return quote;
    emit(quote);
  }
  emit(ticker);
  return undefined;
}

/** A ticker of Coinbase Exchange, which had no sizes until 2022. */
export function readTicker(
  message: JsonRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const bid = { price: message["best_bid"], size: message["best_bid_size"] };
  const ask = { price: message["best_ask"], size: message["best_ask_size"] };
  const texts = {
    lastPrice: message["price"],
    lastSize: message["last_size"],
    openPrice: message["open_24h"],
    highPrice: message["high_24h"],
    lowPrice: message["low_24h"],
    volume: message["volume_24h"],
  };
  const isQuote = bid.size !== undefined && ask.size !== undefined;
  return readBestPrices(texts, { bid, ask, isQuote }, subject, scales, emit);
}

/** What the status channel says of all products. */
export function readProductStates(products: unknown, catalog: InstrumentCatalog, emit: Emit): void {
  if (!Array.isArray(products)) return reject(emit, "missing-field");
  const said = products.filter(isRecord).map((product) => {
    return { venueSymbol: product["id"], said: productState(product) };
  });
  emitStates(said, catalog, emit);
}
