import type { CandleRow, TickerRow } from "@tickwire/proto/codec";
import { numberOfOptionalText, numberOfText } from "./event-base.ts";
import { RowEvent } from "./row-event.ts";

/** One candle. Each decimal is there as the nearest double and, with `Text`, exactly. */
export class Candle extends RowEvent<CandleRow> {
  readonly type = "candle";

  get intervalMs(): number {
    return this.row.intervalMs;
  }

  /** Start, microseconds since 1970. */
  get openTimeUs(): number {
    return this.row.openTimeUs;
  }

  get open(): number {
    return numberOfText(this.row.open);
  }

  /** Exact plain decimal. */
  get openText(): string {
    return this.row.open;
  }

  get high(): number {
    return numberOfText(this.row.high);
  }

  /** Exact plain decimal. */
  get highText(): string {
    return this.row.high;
  }

  get low(): number {
    return numberOfText(this.row.low);
  }

  /** Exact plain decimal. */
  get lowText(): string {
    return this.row.low;
  }

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
  readonly type = "ticker";

  get lastPrice(): number | undefined {
    return numberOfOptionalText(this.row.lastPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get lastPriceText(): string | undefined {
    return this.row.lastPrice;
  }

  get lastSize(): number | undefined {
    return numberOfOptionalText(this.row.lastSize);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get lastSizeText(): string | undefined {
    return this.row.lastSize;
  }

  get openPrice(): number | undefined {
    return numberOfOptionalText(this.row.openPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get openPriceText(): string | undefined {
    return this.row.openPrice;
  }

  get highPrice(): number | undefined {
    return numberOfOptionalText(this.row.highPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get highPriceText(): string | undefined {
    return this.row.highPrice;
  }

  get lowPrice(): number | undefined {
    return numberOfOptionalText(this.row.lowPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get lowPriceText(): string | undefined {
    return this.row.lowPrice;
  }

  get volume(): number | undefined {
    return numberOfOptionalText(this.row.volume);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get volumeText(): string | undefined {
    return this.row.volume;
  }

  get quoteVolume(): number | undefined {
    return numberOfOptionalText(this.row.quoteVolume);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get quoteVolumeText(): string | undefined {
    return this.row.quoteVolume;
  }

  get bidPrice(): number | undefined {
    return numberOfOptionalText(this.row.bidPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get bidPriceText(): string | undefined {
    return this.row.bidPrice;
  }

  get askPrice(): number | undefined {
    return numberOfOptionalText(this.row.askPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get askPriceText(): string | undefined {
    return this.row.askPrice;
  }
}
