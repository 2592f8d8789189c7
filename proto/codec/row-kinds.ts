import {
  CandleBatchCodec,
  FundingBatchCodec,
  LiquidationBatchCodec,
  MarkPriceBatchCodec,
  OpenInterestBatchCodec,
  StatusBatchCodec,
  TickerBatchCodec,
} from "../gen/messages.ts";
import type { MessageCodec } from "./message-codec.ts";
import type { RowKind } from "./types.ts";

/**
 * A kind of event that is rare enough to travel as rows. Its payload is a message with one list,
 * which has the name of the kind. A row has the fields of the message by the same names; what
 * differs is said here.
 */
type RowKindSpec = {
  /** Of the payload in Batch. */
  readonly field: number;
  readonly codec: MessageCodec<never>;
  /** Fields that the venue may leave open: an empty text or 0 on the wire, undefined in a row. */
  readonly optional: readonly string[];
};

function kind<T>(field: number, codec: MessageCodec<T>, optional = ""): RowKindSpec {
  // Rows and messages meet by the names of their fields, which the tests compare.
  return { field, codec: codec as unknown as MessageCodec<never>, optional: words(optional) };
}

function words(text: string): readonly string[] {
  return text === "" ? [] : text.split(" ");
}

/** Every kind that travels as rows. */
export const ROW_KINDS: { readonly [Kind in RowKind]: RowKindSpec } = {
  candles: /* @__PURE__ */ kind(19, CandleBatchCodec, "quoteVolume tradeCount"),
  tickers: /* @__PURE__ */ kind(
    20,
    TickerBatchCodec,
    "lastPrice lastSize openPrice highPrice lowPrice volume quoteVolume bidPrice askPrice",
  ),
  fundings: /* @__PURE__ */ kind(21, FundingBatchCodec, "nextFundingTimeUs intervalMs"),
  markPrices: /* @__PURE__ */ kind(22, MarkPriceBatchCodec, "indexPrice"),
  openInterests: /* @__PURE__ */ kind(23, OpenInterestBatchCodec, "openInterestValue"),
  liquidations: /* @__PURE__ */ kind(24, LiquidationBatchCodec, "liquidationId"),
  statuses: /* @__PURE__ */ kind(25, StatusBatchCodec),
};
