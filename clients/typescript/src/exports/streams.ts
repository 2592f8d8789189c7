// What the entries with streams of every channel export beside their connect() and their client.
export * from "./ticks.ts";
export type { BestLevels, BookSnapshot, BookState, LiveBook } from "../events/book.ts";
export type { BookLevel } from "../events/event-fields.ts";
export type {
  BookEvent,
  Candle,
  Funding,
  Liquidation,
  Listing,
  MarketEvent,
  MarkPrice,
  OpenInterest,
  Status,
  Ticker,
} from "../events/market-event.ts";
export type { StreamEvent } from "../events/stream-events.ts";
export type { CandleOptions } from "../streams/stream-options.ts";
export { CHANNELS } from "@tickwire/proto/model";
export type { Channel } from "../topics/topic.ts";
