import type { CandleRow, TickerRow } from "@tickwire/proto/codec";
import type { TopicInfo } from "../topics/topic.ts";
import { numberOfOptionalText, numberOfText } from "./decimal-numbers.ts";
import type { EventBatch } from "./event-base.ts";
import { RowEvent } from "./row-event.ts";

/** One candle. Each decimal is there as the nearest double and, with `Text`, exactly. */
export class Candle extends RowEvent<"candle", CandleRow> {
  /** Length of the candle. */
  readonly intervalMs: number;
  /** Start, microseconds since 1970. */
  readonly openTimeUs: number;
  /** Price of the first trade, as the nearest double. */
  readonly open: number;
  /** Exact plain decimal. */
  readonly openText: string;
  /** Highest price, as the nearest double. */
  readonly high: number;
  /** Exact plain decimal. */
  readonly highText: string;
  /** Lowest price, as the nearest double. */
  readonly low: number;
  /** Exact plain decimal. */
  readonly lowText: string;
  /** Price of the last trade so far, as the nearest double. */
  readonly close: number;
  /** Exact plain decimal. */
  readonly closeText: string;
  /** In units of the base asset (or contracts). */
  readonly volume: number;
  /** Exact plain decimal. */
  readonly volumeText: string;
  /** In units of the quote asset; undefined if the venue does not say. */
  readonly quoteVolume: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly quoteVolumeText: string | undefined;
  /** Undefined if the venue does not say. */
  readonly tradeCount: number | undefined;
  /** False while the candle may still change. */
  readonly closed: boolean;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: CandleRow) {
    super("candle", info, batch, index, row);
    this.intervalMs = row.intervalMs;
    this.openTimeUs = row.openTimeUs;
    this.open = numberOfText(row.open);
    this.openText = row.open;
    this.high = numberOfText(row.high);
    this.highText = row.high;
    this.low = numberOfText(row.low);
    this.lowText = row.low;
    this.close = numberOfText(row.close);
    this.closeText = row.close;
    this.volume = numberOfText(row.volume);
    this.volumeText = row.volume;
    this.quoteVolume = numberOfOptionalText(row.quoteVolume);
    this.quoteVolumeText = row.quoteVolume;
    this.tradeCount = row.tradeCount;
    this.closed = row.closed;
  }
}

/**
 * Statistics of the last 24 hours; undefined where the venue does not say. Each decimal is there as
 * the nearest double and, with `Text`, exactly.
 */
export class Ticker extends RowEvent<"ticker", TickerRow> {
  /** Price of the last trade. */
  readonly lastPrice: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly lastPriceText: string | undefined;
  /** Size of the last trade. */
  readonly lastSize: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly lastSizeText: string | undefined;
  /** Price 24 hours ago. */
  readonly openPrice: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly openPriceText: string | undefined;
  /** Highest price. */
  readonly highPrice: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly highPriceText: string | undefined;
  /** Lowest price. */
  readonly lowPrice: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly lowPriceText: string | undefined;
  /** Traded, in units of the base asset (or contracts). */
  readonly volume: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly volumeText: string | undefined;
  /** Traded, in units of the quote asset. */
  readonly quoteVolume: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly quoteVolumeText: string | undefined;
  /** Best bid. */
  readonly bidPrice: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly bidPriceText: string | undefined;
  /** Best ask. */
  readonly askPrice: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly askPriceText: string | undefined;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: TickerRow) {
    super("ticker", info, batch, index, row);
    this.lastPrice = numberOfOptionalText(row.lastPrice);
    this.lastPriceText = row.lastPrice;
    this.lastSize = numberOfOptionalText(row.lastSize);
    this.lastSizeText = row.lastSize;
    this.openPrice = numberOfOptionalText(row.openPrice);
    this.openPriceText = row.openPrice;
    this.highPrice = numberOfOptionalText(row.highPrice);
    this.highPriceText = row.highPrice;
    this.lowPrice = numberOfOptionalText(row.lowPrice);
    this.lowPriceText = row.lowPrice;
    this.volume = numberOfOptionalText(row.volume);
    this.volumeText = row.volume;
    this.quoteVolume = numberOfOptionalText(row.quoteVolume);
    this.quoteVolumeText = row.quoteVolume;
    this.bidPrice = numberOfOptionalText(row.bidPrice);
    this.bidPriceText = row.bidPrice;
    this.askPrice = numberOfOptionalText(row.askPrice);
    this.askPriceText = row.askPrice;
  }
}
