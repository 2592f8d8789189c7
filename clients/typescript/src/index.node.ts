import { createConnect } from "./connect.ts";
import { openNodeWebSocket } from "./host/node-web-socket.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the package `ws` unless `options.webSocket` gives a class. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect = /* @__PURE__ */ createConnect(openNodeWebSocket);

export { BookLevel, LiveBook } from "./events/book.ts";
export type { BestLevels, BookState } from "./events/book.ts";
export type { BackoffOptions } from "./backoff.ts";
export { Client } from "./client.ts";
export type {
  CallbackOptions,
  CandleOptions,
  ClientCounters,
  StreamOptions,
  SubscribeOptions,
  Subscription,
} from "./client.ts";
export type { ConnectOptions } from "./connect.ts";
export type { ClientClock, WebSocketConstructor, WebSocketLike } from "./host/environment.ts";
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
export type { OverflowPolicy } from "./streams/event-buffer.ts";
export { EventStream } from "./streams/event-stream.ts";
export type { MarketEvent } from "./events/events.ts";
export { BookEvent, Quote, Trade } from "./events/hot-events.ts";
export {
  Candle,
  Funding,
  Liquidation,
  MarkPrice,
  OpenInterest,
  Status,
  Ticker,
} from "./events/row-events.ts";
export type { CallOptions, Rpc } from "./rpc/calls.ts";
export { sizeInBase, valueInQuote } from "./events/contract-size.ts";
export type { SizedInstrument } from "./events/contract-size.ts";
export type { ClientState, StateListener, StateReason } from "./session/session.ts";
export type {
  ContinuityEvent,
  GapEvent,
  LagEvent,
  NoticeEvent,
  StreamEvent,
} from "./events/stream-events.ts";
export { CHANNELS } from "./topics/topic.ts";
export type { Channel, Topics } from "./topics/topic.ts";
