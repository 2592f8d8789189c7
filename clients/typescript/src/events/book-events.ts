import type { BookRow, DecodedBatch } from "@tickwire/proto/codec";
import type { OrderBook } from "@tickwire/proto/model";
import type { TopicInfo } from "../topics/topic.ts";
import { bookLevels, type BookMark, type LiveBook } from "./book.ts";
import { headOf, sequenceAt, type EventBatch } from "./event-head.ts";
import type { BookEvent } from "./market-event.ts";

/** A change to a book from its row. */
export function bookEvent(
  info: TopicInfo,
  batch: EventBatch,
  index: number,
  { snapshot, priceScale, sizeScale, bids, asks }: BookRow,
): BookEvent {
  return {
    ...headOf("book", info, batch, index),
    snapshot,
    priceScale,
    sizeScale,
    bids: bookLevels(bids, priceScale, sizeScale),
    asks: bookLevels(asks, priceScale, sizeScale),
  };
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
  const { priceScale, sizeScale } = book;
  const levels = { priceScale, sizeScale, bids: book.bids(), asks: book.asks() };
  const row = { ...levels, snapshot: true, venueTimeUs, receivedTimeUs };
  const batch = {
    epoch,
    firstSequence: sequence,
    snapshot: true,
    publishedTimeUs,
    receivedTimesUs: [receivedTimeUs],
    venueTimesUs: [venueTimeUs],
  };
  return bookEvent(info, batch, 0, row);
}
