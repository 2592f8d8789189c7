export { encodeBatch } from "./batch-writer.ts";
export { readBatch, readBatchHeader } from "./batch-reader.ts";
export type { BatchSummary } from "./batch-reader.ts";
export { rowsOf } from "./batch-rows.ts";
export { walkServerFrame } from "./frame-walker.ts";
export type { ServerFrameVisitor } from "./frame-walker.ts";
export {
  BATCH_EVENTS_MAX,
  DECIMAL_TEXT_LENGTH_MAX,
  EMPTY_BATCH_EVENTS_MAX,
  SCALE_MAX,
} from "./limits.ts";
export {
  channelFromWire,
  channelToWire,
  sideFromWire,
  sideToWire,
  stateFromWire,
  stateToWire,
} from "./wire-names.ts";
export { WireError } from "./wire-error.ts";
export type { WireErrorCode } from "./wire-error.ts";
export type {
  AggressorSide,
  BatchColumns,
  BatchHeader,
  BatchHeaderInit,
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
