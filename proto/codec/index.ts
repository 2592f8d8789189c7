/**
 * Frames and batches: reading and writing them.
 *
 * @module @tickwire/proto/codec
 */
export { BatchReader } from "./batch/batch-reader.ts";
export { BOOKS_PAYLOAD } from "./batch/books-payload.ts";
export { ChainMessages } from "./batch/chain-messages.ts";
export { ChainReader } from "./batch/chain-reader.ts";
export type { BatchReading, LossReason } from "./batch/chain-reader.ts";
export { payloadTable } from "./batch/payload.ts";
export type { Payload, Payloads } from "./batch/payload.ts";
export { PendingBooks, PendingQuotes, PendingTrades, SideCode } from "./batch/pending-columns.ts";
export type { PendingColumns } from "./batch/pending-columns.ts";
export { rowsOfPending } from "./batch/pending-rows.ts";
export { QUOTES_PAYLOAD } from "./batch/quotes-payload.ts";
export { rowsPayload } from "./batch/rows-payload.ts";
export { TRADES_PAYLOAD } from "./batch/trades-payload.ts";
export { BatchWriter } from "./batch/batch-writer.ts";
export type { BatchInit, ChainInit } from "./batch/batch-writer.ts";
export {
  elementLength,
  lastSequenceOf,
  putElement,
  readBusBatch,
  withBase,
} from "./batch/bus-batch.ts";
export type { BusBatch } from "./batch/bus-batch.ts";
export { topicIdOf } from "./batch/topic-id.ts";
export { checkBusEvents } from "./batch/book-check.ts";
export { checkWholeEvents, readBusEvents } from "./batch/bus-batch-events.ts";
export { bookRowsOf, rowsOf } from "./batch-rows.ts";
export { idText } from "./id-text.ts";
export { BATCHES_TAG, walkServerFrame } from "./frame-walker.ts";
export type { ServerFrameVisitor } from "./frame-walker.ts";
export { BATCH_EVENTS_MAX, DECIMAL_TEXT_LENGTH_MAX, SCALE_MAX } from "./limits.ts";
export { measureMessage } from "./message-scan.ts";
export type { MessageSize } from "./message-scan.ts";
export {
  channelFromWire,
  channelToWire,
  sideFromWire,
  sideToWire,
  stateFromWire,
  stateToWire,
  wordFromWire,
  wordToWire,
} from "./wire-names.ts";
export { WireError } from "./wire-error.ts";
export type { WireErrorCode } from "./wire-error.ts";
export type {
  AggressorSide,
  BatchColumns,
  BatchHeader,
  BatchRows,
  BookColumns,
  BookRow,
  CandleRow,
  DecodedBatch,
  FundingRow,
  LiquidationRow,
  MarkPriceRow,
  OpenInterestRow,
  QuoteColumns,
  QuoteRow,
  RowKind,
  RowTimes,
  StatusRow,
  TickerRow,
  TopicState,
  TradeColumns,
  TradeRow,
} from "./types.ts";

// The messages of frame.proto: what a client and a gateway say to each other.
export {
  ClientFrameCodec,
  CloseCodeNumbers,
  CodeNumbers,
  ErrorDetailCodec,
  ServerFrameCodec,
  ServerMessageCodec,
} from "../gen/messages.ts";
export type {
  Call,
  ClientFrame,
  ClientMessage,
  CloseCode,
  Code,
  Continuity,
  ErrorDetail,
  Hello,
  Limits,
  Notice,
  NoticeKind,
  Position,
  Reply,
  RpcStatus,
  ServerFrame,
  ServerMessage,
  SnapshotMode,
  Subscribe,
  SubscribeResult,
  TopicError,
  TopicRequest,
  TopicResult,
  Unsubscribe,
  UnsubscribeResult,
  Welcome,
} from "../gen/messages.ts";
export { createControlCodec } from "./control-codec.ts";
export type { ControlCodec, ControlReference } from "./control-codec.ts";
export { createEnumTable } from "./enum-table.ts";
export { createMessageCodec } from "./message-codec.ts";
export type { FieldReference, MessageCodec, MessageInit } from "./message-codec.ts";
