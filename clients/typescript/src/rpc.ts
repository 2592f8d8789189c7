import { createConnect, type Connect } from "./connect.ts";
import { createRpcClient, type RpcClient, type RpcConnectOptions } from "./rpc/rpc-client.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the host's WebSocket unless `options.webSocket` gives one. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<RpcConnectOptions, RpcClient> =
  /* @__PURE__ */ createConnect(createRpcClient);

export type { BackoffOptions } from "./backoff.ts";
export { ConnectionError, RpcError, TickwireError } from "./errors.ts";
export type {
  ConnectionErrorCode,
  ErrorCode,
  ErrorDetail,
  RpcErrorCode,
  TickwireErrorOptions,
} from "./errors.ts";
export type { ClientClock, WebSocketConstructor, WebSocketLike } from "./host/environment.ts";
export type { ClientState, StateListener, StateReason } from "./session/session.ts";
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
export type { RpcClient } from "./rpc/rpc-client.ts";
export type { RpcConnectOptions } from "./rpc/rpc-client.ts";
