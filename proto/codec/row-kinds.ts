import {
  CandleBatchCodec,
  FundingBatchCodec,
  LiquidationBatchCodec,
  MarkPriceBatchCodec,
  OpenInterestBatchCodec,
  StatusBatchCodec,
  TickerBatchCodec,
} from "../gen/messages.ts";
import type { BatchRows, RowKind, RowTimes } from "./types.ts";
import {
  channelFromWire,
  channelToWire,
  sideFromWire,
  sideToWire,
  stateFromWire,
  stateToWire,
} from "./wire-names.ts";

type RowsOf<Kind extends RowKind> = Extract<BatchRows, { readonly kind: Kind }>["rows"];

/** The times of row i. */
type TimesOf = (index: number) => RowTimes;

type RowCodec<Kind extends RowKind> = {
  /** Of the payload in Batch. */
  readonly field: number;
  encode(rows: RowsOf<Kind>): Uint8Array;
  decode(payload: Uint8Array, timesOf: TimesOf): RowsOf<Kind>;
};

/**
 * The kinds that are rare enough to travel as rows, on the generated codecs. What the venue does
 * not say is an empty text or 0 on the wire and undefined here.
 */
const ROW_CODECS: { readonly [Kind in RowKind]: RowCodec<Kind> } = {
  candles: {
    field: 19,
    encode: (rows) =>
      CandleBatchCodec.encode({
        candles: rows.map((row) => ({
          intervalMs: row.intervalMs,
          openTimeUs: row.openTimeUs,
          open: row.open,
          high: row.high,
          low: row.low,
          close: row.close,
          volume: row.volume,
          quoteVolume: row.quoteVolume,
          tradeCount: row.tradeCount,
          closed: row.closed,
        })),
      }),
    decode: (payload, timesOf) =>
      CandleBatchCodec.decode(payload).candles.map((candle, index) => ({
        ...timesOf(index),
        ...candle,
        quoteVolume: textOrUndefined(candle.quoteVolume),
        tradeCount: numberOrUndefined(candle.tradeCount),
      })),
  },
  tickers: {
    field: 20,
    encode: (rows) =>
      TickerBatchCodec.encode({
        tickers: rows.map((row) => ({
          lastPrice: row.lastPrice,
          lastSize: row.lastSize,
          openPrice: row.openPrice,
          highPrice: row.highPrice,
          lowPrice: row.lowPrice,
          volume: row.volume,
          quoteVolume: row.quoteVolume,
          bidPrice: row.bidPrice,
          askPrice: row.askPrice,
        })),
      }),
    decode: (payload, timesOf) =>
      TickerBatchCodec.decode(payload).tickers.map((ticker, index) => ({
        ...timesOf(index),
        lastPrice: textOrUndefined(ticker.lastPrice),
        lastSize: textOrUndefined(ticker.lastSize),
        openPrice: textOrUndefined(ticker.openPrice),
        highPrice: textOrUndefined(ticker.highPrice),
        lowPrice: textOrUndefined(ticker.lowPrice),
        volume: textOrUndefined(ticker.volume),
        quoteVolume: textOrUndefined(ticker.quoteVolume),
        bidPrice: textOrUndefined(ticker.bidPrice),
        askPrice: textOrUndefined(ticker.askPrice),
      })),
  },
  fundings: {
    field: 21,
    encode: (rows) =>
      FundingBatchCodec.encode({
        fundings: rows.map((row) => ({
          rate: row.rate,
          nextFundingTimeUs: row.nextFundingTimeUs,
          intervalMs: row.intervalMs,
        })),
      }),
    decode: (payload, timesOf) =>
      FundingBatchCodec.decode(payload).fundings.map((funding, index) => ({
        ...timesOf(index),
        rate: funding.rate,
        nextFundingTimeUs: numberOrUndefined(funding.nextFundingTimeUs),
        intervalMs: numberOrUndefined(funding.intervalMs),
      })),
  },
  markPrices: {
    field: 22,
    encode: (rows) =>
      MarkPriceBatchCodec.encode({
        markPrices: rows.map((row) => ({ markPrice: row.markPrice, indexPrice: row.indexPrice })),
      }),
    decode: (payload, timesOf) =>
      MarkPriceBatchCodec.decode(payload).markPrices.map((mark, index) => ({
        ...timesOf(index),
        markPrice: mark.markPrice,
        indexPrice: textOrUndefined(mark.indexPrice),
      })),
  },
  openInterests: {
    field: 23,
    encode: (rows) =>
      OpenInterestBatchCodec.encode({
        openInterests: rows.map((row) => ({
          openInterest: row.openInterest,
          openInterestValue: row.openInterestValue,
        })),
      }),
    decode: (payload, timesOf) =>
      OpenInterestBatchCodec.decode(payload).openInterests.map((interest, index) => ({
        ...timesOf(index),
        openInterest: interest.openInterest,
        openInterestValue: textOrUndefined(interest.openInterestValue),
      })),
  },
  liquidations: {
    field: 24,
    encode: (rows) =>
      LiquidationBatchCodec.encode({
        liquidations: rows.map((row) => ({
          price: row.price,
          size: row.size,
          aggressorSide: sideToWire(row.aggressorSide),
          liquidationId: row.liquidationId,
        })),
      }),
    decode: (payload, timesOf) =>
      LiquidationBatchCodec.decode(payload).liquidations.map((liquidation, index) => ({
        ...timesOf(index),
        price: liquidation.price,
        size: liquidation.size,
        aggressorSide: sideFromWire(liquidation.aggressorSide),
        liquidationId: textOrUndefined(liquidation.liquidationId),
      })),
  },
  statuses: {
    field: 25,
    encode: (rows) =>
      StatusBatchCodec.encode({
        statuses: rows.map((row) => ({
          channel: channelToWire(row.channel),
          state: stateToWire(row.state),
          reason: row.reason,
          sinceTimeUs: row.sinceTimeUs,
        })),
      }),
    decode: (payload, timesOf) =>
      StatusBatchCodec.decode(payload).statuses.map((status, index) => ({
        ...timesOf(index),
        channel: channelFromWire(status.channel),
        state: stateFromWire(status.state),
        reason: status.reason,
        sinceTimeUs: status.sinceTimeUs,
      })),
  },
};

/** The codec of one kind, for callers that have rows of that kind. */
export function rowCodecOf(kind: RowKind): RowCodec<RowKind> {
  return ROW_CODECS[kind] as RowCodec<RowKind>;
}

function textOrUndefined(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function numberOrUndefined(number: number): number | undefined {
  return number === 0 ? undefined : number;
}
