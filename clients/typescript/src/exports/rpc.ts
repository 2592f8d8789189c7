// What the entries with calls export beside their connect() and their client.
export * from "./every-client.ts";
export { RpcError } from "../errors.ts";
export type { RpcErrorCode } from "../errors.ts";
export { sizeInBase, valueInQuote } from "../events/contract-size.ts";
export type { SizedInstrument } from "../events/contract-size.ts";
export type {
  BookValues,
  CandleValues,
  LevelValues,
  QuoteValues,
  StatusValues,
  TickerValues,
  TradeValues,
} from "../events/event-values.ts";
export { formatPrice, formatSize } from "../events/increments.ts";
export type { CallInterceptor, CallMethod, InterceptedCall } from "../rpc/call-chain.ts";
export { sendMetadata, traceCalls } from "../rpc/call-interceptors.ts";
export type { CallSpan } from "../rpc/call-interceptors.ts";
export type { CallOptions } from "../rpc/call-options.ts";
export { retryCalls } from "../rpc/retry-calls.ts";
export type { RetryOptions } from "../rpc/retry-calls.ts";
export type { Instrument, InstrumentKind, InstrumentState } from "../rpc/instrument.ts";
export type {
  HistoryPage,
  InstrumentsRequest,
  Rpc,
  RpcMessages,
  Snapshot,
} from "../rpc/market-data.ts";
