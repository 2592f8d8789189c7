import type {
  CandleFields,
  QuoteFields,
  StatusFields,
  TickerFields,
  TradeFields,
} from "@tickwire/proto/model";
import type { BookLevel } from "./event-fields.ts";
import type { BookEvent } from "./market-event.ts";

type OfTime = Pick<BookEvent, "sequence" | "venueTimeUs" | "receivedTimeUs">;

/** A trade as calls answer it: what the event of the stream says, under the same names. */
export type TradeValues = OfTime & TradeFields;

/** A quote as calls answer it: what the event of the stream says, under the same names. */
export type QuoteValues = OfTime & QuoteFields;

/** A price level as calls answer it: what a level of a book says, under the same names. */
export type LevelValues = BookLevel;

/** A whole book as calls answer it: what a snapshot in the stream says, under the same names. */
export type BookValues = OfTime & {
  /** All bids to the depth asked for, best first. */
  readonly bids: readonly LevelValues[];
  /** All asks to the depth asked for, best first. */
  readonly asks: readonly LevelValues[];
};

/** A ticker as calls answer it: what the event of the stream says, under the same names. */
export type TickerValues = TickerFields;

/** A candle as calls answer it: what the event of the stream says, under the same names. */
export type CandleValues = CandleFields;

/** The state of a channel as calls answer it: what the event of the stream says. */
export type StatusValues = Pick<BookEvent, "venue" | "symbol"> & StatusFields;
