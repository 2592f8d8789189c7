import { createClient, type Client, type ConnectOptions } from "./client.ts";
import { createConnect, type Connect } from "./connect.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the host's WebSocket unless `options.webSocket` gives one. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<ConnectOptions, Client> = /* @__PURE__ */ createConnect(createClient);

export type { BackoffOptions } from "./backoff.ts";
export type { Client } from "./client.ts";
export type { ConnectOptions } from "./client.ts";
export {
  BufferOverflowError,
  ConnectionError,
  RpcError,
  TickwireError,
  TopicRefusedError,
} from "./errors.ts";
export type {
  ConnectionErrorCode,
  ErrorCode,
  ErrorDetail,
  RpcErrorCode,
  TickwireErrorOptions,
  TopicErrorCode,
  TopicRefusal,
} from "./errors.ts";
export type { ClientClock, WebSocketConstructor, WebSocketLike } from "./host/environment.ts";
export type { ClientState, StateListener, StateReason } from "./session/session.ts";
export type { BookLevel, LiveBook } from "./events/book.ts";
export type { BestLevels, BookSnapshot, BookState } from "./events/book.ts";
export type { Funding, Liquidation, MarkPrice, OpenInterest } from "./events/derivative-events.ts";
export type { MarketEvent } from "./events/events.ts";
export type { BookEvent, Quote, Trade } from "./events/hot-events.ts";
export type { Candle, Ticker } from "./events/statistics-events.ts";
export type { Status } from "./events/status-event.ts";
export type {
  ContinuityEvent,
  GapEvent,
  LagEvent,
  NoticeEvent,
  StreamEvent,
} from "./events/stream-events.ts";
export type { OverflowPolicy } from "./streams/event-buffer.ts";
export type { EventStream } from "./streams/event-stream.ts";
export type {
  CallbackOptions,
  CandleOptions,
  StreamOptions,
  SubscribeOptions,
  Subscription,
} from "./streams/stream-options.ts";
export type { ClientCounters } from "./streams/streams-client.ts";
export { CHANNELS } from "./topics/topic.ts";
export type { Channel, Topics } from "./topics/topic.ts";
export { sizeInBase, valueInQuote } from "./events/contract-size.ts";
export { formatPrice, formatSize } from "./events/increments.ts";
export { dateOfUs, isoOfUs, usOfDate } from "./events/times.ts";
export type { SizedInstrument } from "./events/contract-size.ts";
export type { CallOptions } from "./rpc/call-options.ts";
export type {
  BookValues,
  CandleValues,
  LevelValues,
  QuoteValues,
  StatusValues,
  TickerValues,
  TradeValues,
} from "./events/event-values.ts";
export type { Instrument, InstrumentKind } from "./rpc/instrument.ts";
export type { InstrumentsRequest, Rpc, RpcMessages, Snapshot } from "./rpc/market-data.ts";
