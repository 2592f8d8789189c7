/**
 * The arithmetic that both ends share: decimals, books, checksums.
 *
 * @module @tickwire/proto/model
 */
export { backoffDelayMs, type BackoffLimits } from "./backoff.ts";
export { bookChecksum, CHECKSUM_LEVELS_MAX } from "./book-checksum.ts";
export { crc32, CRC32_START, finishCrc32, updateCrc32 } from "./crc32.ts";
export {
  canonicalDecimal,
  compareMantissa,
  DECIMAL_DIGITS_MAX,
  decimalScale,
  formatDecimal,
  fromBigInt,
  multiplyDecimals,
  parseMantissa,
  rescaleMantissa,
  textScale,
  toNumber,
  type Mantissa,
} from "./decimal.ts";
export type {
  AggressorSide,
  CandleFields,
  CandleRow,
  Channel,
  ChannelOfType,
  FundingFields,
  FundingRow,
  InstrumentKind,
  InstrumentState,
  LiquidationFields,
  LiquidationRow,
  ListingChange,
  ListingFields,
  ListingRow,
  MarkPriceFields,
  MarkPriceRow,
  OpenInterestFields,
  OpenInterestRow,
  QuoteFields,
  QuoteRow,
  RowsOfChannel,
  RowTimes,
  StatusFields,
  StatusRow,
  TickerFields,
  TickerRow,
  TopicState,
  TradeFields,
  TradeRow,
} from "../gen/events.ts";
export { OrderBook, type BookChange, type TruncatedPrices } from "./order-book.ts";
export {
  PriceLadder,
  type BookSide,
  type Ladder,
  type Level,
  type LevelColumns,
  type OwnedLevelColumns,
} from "./price-ladder.ts";
export { CHANNELS, EVENT_KINDS, type EventField, type EventKind } from "./vocabulary.ts";
