export { backoffDelayMs, type BackoffLimits } from "./backoff.ts";
export { CHANNELS, type Channel } from "./channel.ts";
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
export { OrderBook, type BookChange, type TruncatedPrices } from "./order-book.ts";
export {
  PriceLadder,
  type BookSide,
  type Level,
  type LevelColumns,
  type OwnedLevelColumns,
} from "./price-ladder.ts";
