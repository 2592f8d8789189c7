import type { BookEvent, Quote, Trade } from "./hot-events.ts";
import type { BookLevel } from "./book.ts";
import type { Candle, Ticker } from "./statistics-events.ts";
import type { Status } from "./status-event.ts";

/** What an event says of its stream, and an answer to a call cannot say. */
type OfStream =
  | "type"
  | "topic"
  | "venueSymbol"
  | "epoch"
  | "initial"
  | "publishedTimeUs"
  | "toJSON";
type OfInstrument = "venue" | "symbol";
type OfTime = "sequence" | "venueTimeUs" | "receivedTimeUs";

/** A trade as calls answer it: what the event of the stream says, under the same names. */
export type TradeValues = Omit<Trade, OfStream | OfInstrument>;

/** A quote as calls answer it: what the event of the stream says, under the same names. */
export type QuoteValues = Omit<Quote, OfStream | OfInstrument>;

/** A price level as calls answer it: what a level of a book says, under the same names. */
export type LevelValues = Omit<BookLevel, "toJSON">;

/** A whole book as calls answer it: what a snapshot in the stream says, under the same names. */
export type BookValues = Pick<BookEvent, OfTime> & {
  /** All bids to the depth asked for, best first. */
  readonly bids: readonly LevelValues[];
  /** All asks to the depth asked for, best first. */
  readonly asks: readonly LevelValues[];
};

/** A ticker as calls answer it: what the event of the stream says, under the same names. */
export type TickerValues = Omit<Ticker, OfStream | OfInstrument | OfTime | "row">;

/** A candle as calls answer it: what the event of the stream says, under the same names. */
export type CandleValues = Omit<Candle, OfStream | OfInstrument | OfTime | "row">;

/** The state of a channel as calls answer it: what the event of the stream says. */
export type StatusValues = Omit<Status, OfStream | OfTime>;
