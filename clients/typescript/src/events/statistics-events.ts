import type { CandleRow, TickerRow } from "@tickwire/proto/codec";
import { numberOfOptionalText, numberOfText } from "./event-base.ts";
import { RowEvent } from "./row-event.ts";

/** One candle. Each decimal is there as the nearest double and, with `Text`, exactly. */
export class Candle extends RowEvent<CandleRow> {
  /** Tells the kinds of events apart. */
  readonly type = "candle";

  /** Length of the candle. */
  get intervalMs(): number {
    return this.row.intervalMs;
  }

  /** Start, microseconds since 1970. */
  get openTimeUs(): number {
    return this.row.openTimeUs;
  }

  /** Price of the first trade, as the nearest double. */
  get open(): number {
    return numberOfText(this.row.open);
  }

  /** Exact plain decimal. */
  get openText(): string {
    return this.row.open;
  }

  /** Highest price, as the nearest double. */
  get high(): number {
    return numberOfText(this.row.high);
  }

  /** Exact plain decimal. */
  get highText(): string {
    return this.row.high;
  }

  /** Lowest price, as the nearest double. */
  get low(): number {
    return numberOfText(this.row.low);
  }

  /** Exact plain decimal. */
  get lowText(): string {
    return this.row.low;
  }

  /** Price of the last trade so far, as the nearest double. */
  get close(): number {
    return numberOfText(this.row.close);
  }

  /** Exact plain decimal. */
  get closeText(): string {
    return this.row.close;
  }

  /** In units of the base asset (or contracts). */
  get volume(): number {
    return numberOfText(this.row.volume);
  }

  /** Exact plain decimal. */
  get volumeText(): string {
    return this.row.volume;
  }

  /** In units of the quote asset; undefined if the venue does not say. */
  get quoteVolume(): number | undefined {
    return numberOfOptionalText(this.row.quoteVolume);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get quoteVolumeText(): string | undefined {
    return this.row.quoteVolume;
  }

  /** Undefined if the venue does not say. */
  get tradeCount(): number | undefined {
    return this.row.tradeCount;
  }

  /** False while the candle may still change. */
  get closed(): boolean {
    return this.row.closed;
  }
}

/**
 * Statistics of the last 24 hours; undefined where the venue does not say. Each decimal is there as
 * the nearest double and, with `Text`, exactly.
 */
export class Ticker extends RowEvent<TickerRow> {
  /** Tells the kinds of events apart. */
  readonly type = "ticker";

  /** Price of the last trade. */
  get lastPrice(): number | undefined {
    return numberOfOptionalText(this.row.lastPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get lastPriceText(): string | undefined {
    return this.row.lastPrice;
  }

  /** Size of the last trade. */
  get lastSize(): number | undefined {
    return numberOfOptionalText(this.row.lastSize);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get lastSizeText(): string | undefined {
    return this.row.lastSize;
  }

  /** Price 24 hours ago. */
  get openPrice(): number | undefined {
    return numberOfOptionalText(this.row.openPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get openPriceText(): string | undefined {
    return this.row.openPrice;
  }

  /** Highest price. */
  get highPrice(): number | undefined {
    return numberOfOptionalText(this.row.highPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get highPriceText(): string | undefined {
    return this.row.highPrice;
  }

  /** Lowest price. */
  get lowPrice(): number | undefined {
    return numberOfOptionalText(this.row.lowPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get lowPriceText(): string | undefined {
    return this.row.lowPrice;
  }

  /** Traded, in units of the base asset (or contracts). */
  get volume(): number | undefined {
    return numberOfOptionalText(this.row.volume);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get volumeText(): string | undefined {
    return this.row.volume;
  }

  /** Traded, in units of the quote asset. */
  get quoteVolume(): number | undefined {
    return numberOfOptionalText(this.row.quoteVolume);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get quoteVolumeText(): string | undefined {
    return this.row.quoteVolume;
  }

  /** Best bid. */
  get bidPrice(): number | undefined {
    return numberOfOptionalText(this.row.bidPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get bidPriceText(): string | undefined {
    return this.row.bidPrice;
  }

  /** Best ask. */
  get askPrice(): number | undefined {
    return numberOfOptionalText(this.row.askPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get askPriceText(): string | undefined {
    return this.row.askPrice;
  }
}
