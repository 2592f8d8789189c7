// What the entries with streams export beside their connect() and their client.
export * from "./every-client.ts";
export { BufferOverflowError, TopicRefusedError } from "../errors.ts";
export type { TopicErrorCode, TopicRefusal } from "../errors.ts";
export type { BestLevels, BookSnapshot, BookState, LiveBook } from "../events/book.ts";
export type { BookLevel } from "../events/event-fields.ts";
export type {
  BookEvent,
  Candle,
  Funding,
  Liquidation,
  MarketEvent,
  MarkPrice,
  OpenInterest,
  Quote,
  Status,
  Ticker,
  Trade,
} from "../events/market-event.ts";
export type {
  ContinuityEvent,
  GapEvent,
  LagEvent,
  NoticeEvent,
  RefusedEvent,
  StreamEvent,
} from "../events/stream-events.ts";
export type { OverflowPolicy } from "../streams/event-buffer.ts";
export type { EventStream } from "../streams/event-stream.ts";
export type {
  CallbackOptions,
  CandleOptions,
  StreamOptions,
  SubscribeOptions,
  Subscription,
} from "../streams/stream-options.ts";
export { CHANNELS } from "../topics/topic.ts";
export type { ClientCounters } from "../topics/topic-stream.ts";
export type { Channel, Topics } from "../topics/topic.ts";
