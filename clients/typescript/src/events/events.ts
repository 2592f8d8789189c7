import type { BookRow, DecodedBatch } from "@tickwire/proto/codec";
import type { OrderBook } from "@tickwire/proto/model";
import type { BookMark, LiveBook } from "./book.ts";
import { Funding, Liquidation, MarkPrice, OpenInterest } from "./derivative-events.ts";
import { sequenceAt } from "./event-base.ts";
import { BookEvent, Quote, Trade } from "./hot-events.ts";
import { Candle, Ticker } from "./statistics-events.ts";
import { Status } from "./status-event.ts";
import type { TopicInfo } from "../topics/topic.ts";

/** Anything that happened in a market. Decide by `type`. */
export type MarketEvent =
  | Trade
  | Quote
  | BookEvent
  | Candle
  | Ticker
  | Funding
  | MarkPrice
  | OpenInterest
  | Liquidation
  | Status;

/** Event `index` of a batch other than of books, which need their rows. */
export function eventOf(
  info: TopicInfo,
  batch: Exclude<DecodedBatch, { kind: "books" }>,
  index: number,
): MarketEvent {
  switch (batch.kind) {
    case "trades":
      return new Trade(info, batch, index);
    case "quotes":
      return new Quote(info, batch, index);
    case "candles":
      return new Candle(info, batch, index, batch.rows[index]!);
    case "tickers":
      return new Ticker(info, batch, index, batch.rows[index]!);
    case "fundings":
      return new Funding(info, batch, index, batch.rows[index]!);
    case "markPrices":
      return new MarkPrice(info, batch, index, batch.rows[index]!);
    case "openInterests":
      return new OpenInterest(info, batch, index, batch.rows[index]!);
    case "liquidations":
      return new Liquidation(info, batch, index, batch.rows[index]!);
    case "statuses":
      return new Status(info, batch, index, batch.rows[index]!);
  }
}

/** What a book is marked with after event `index` of a batch. */
export function bookMarkOf(batch: DecodedBatch, index: number): BookMark {
  return {
    epoch: batch.epoch,
    sequence: sequenceAt(batch, index),
    venueTimeUs: batch.venueTimesUs[index],
    receivedTimeUs: batch.receivedTimesUs[index] ?? 0,
    publishedTimeUs: batch.publishedTimeUs,
  };
}

/** The state of a maintained book as a snapshot event, for a consumer that joins late. */
export function wholeBookEvent(info: TopicInfo, view: LiveBook, book: OrderBook): BookEvent {
  const { epoch, sequence, venueTimeUs, receivedTimeUs, publishedTimeUs } = view;
  const row: BookRow = {
    snapshot: true,
    priceScale: book.priceScale,
    sizeScale: book.sizeScale,
    bids: book.bids(),
    asks: book.asks(),
    venueTimeUs,
    receivedTimeUs,
  };
  const batch = {
    epoch,
    firstSequence: sequence,
    snapshot: true,
    publishedTimeUs,
    receivedTimesUs: [receivedTimeUs],
    venueTimesUs: [venueTimeUs],
  };
  return new BookEvent(info, batch, 0, row);
}
