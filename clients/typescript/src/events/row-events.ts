import type {
  AggressorSide,
  CandleRow,
  FundingRow,
  LiquidationRow,
  MarkPriceRow,
  OpenInterestRow,
  StatusRow,
  TickerRow,
  TopicState,
} from "@tickwire/proto/codec";
import { EventBase, numberOfOptionalText, numberOfText, type EventBatch } from "./event-base.ts";
import type { Channel, TopicInfo } from "../topics/topic.ts";

/** An event of a kind that travels as rows. */
abstract class RowEvent<Row> extends EventBase {
  /** For programs that hand events on: the fields as they travel, decimals as exact text. */
  readonly row: Row;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: Row) {
    super(info, batch, index);
    this.row = row;
  }

  protected payload(): Record<string, unknown> {
    const {
      venueTimeUs: _venue,
      receivedTimeUs: _received,
      ...fields
    } = this.row as Record<string, unknown>;
    return fields;
  }
}

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

/** The funding rate of a perpetual. */
export class Funding extends RowEvent<FundingRow> {
  readonly type = "funding";

  /** Per funding interval as a fraction: 0.0001 is 0.01 %. */
  get rate(): number {
    return numberOfText(this.row.rate);
  }

  /** Exact plain decimal. */
  get rateText(): string {
    return this.row.rate;
  }

  /** When it is next paid, microseconds since 1970; undefined if unknown. */
  get nextFundingTimeUs(): number | undefined {
    return this.row.nextFundingTimeUs;
  }

  /** Undefined if unknown. */
  get intervalMs(): number | undefined {
    return this.row.intervalMs;
  }
}

/** The price that a derivative is marked to. */
export class MarkPrice extends RowEvent<MarkPriceRow> {
  readonly type = "mark-price";

  get markPrice(): number {
    return numberOfText(this.row.markPrice);
  }

  /** Exact plain decimal. */
  get markPriceText(): string {
    return this.row.markPrice;
  }

  /** Undefined if the venue does not say. */
  get indexPrice(): number | undefined {
    return numberOfOptionalText(this.row.indexPrice);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get indexPriceText(): string | undefined {
    return this.row.indexPrice;
  }
}

/** Open interest of a derivative. */
export class OpenInterest extends RowEvent<OpenInterestRow> {
  readonly type = "open-interest";

  /** In contracts (or base units where the venue counts so). */
  get openInterest(): number {
    return numberOfText(this.row.openInterest);
  }

  /** Exact plain decimal. */
  get openInterestText(): string {
    return this.row.openInterest;
  }

  /** In the quote asset; undefined if the venue does not say. */
  get openInterestValue(): number | undefined {
    return numberOfOptionalText(this.row.openInterestValue);
  }

  /** Exact plain decimal; undefined if the venue does not say. */
  get openInterestValueText(): string | undefined {
    return this.row.openInterestValue;
  }
}

/** A liquidation order. */
export class Liquidation extends RowEvent<LiquidationRow> {
  readonly type = "liquidation";

  get price(): number {
    return numberOfText(this.row.price);
  }

  /** Exact plain decimal. */
  get priceText(): string {
    return this.row.price;
  }

  get size(): number {
    return numberOfText(this.row.size);
  }

  /** Exact plain decimal. */
  get sizeText(): string {
    return this.row.size;
  }

  /** Side of the liquidation order: `seller` if a long position was liquidated. */
  get aggressorSide(): AggressorSide {
    return this.row.aggressorSide;
  }

  /** Undefined if the venue gives none. */
  get liquidationId(): string | undefined {
    return this.row.liquidationId;
  }
}

/** The state of one channel of one instrument changed. */
export class Status extends EventBase {
  readonly type = "status";
  readonly #row: StatusRow;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: StatusRow) {
    super(info, batch, index);
    this.#row = row;
  }

  /** The channel whose state this is. */
  get channel(): Channel {
    return this.#row.channel as Channel;
  }

  get state(): TopicState {
    return this.#row.state;
  }

  /** A stable kebab-case word, such as `sequence-gap`. */
  get reason(): string {
    return this.#row.reason;
  }

  /** Since when, microseconds since 1970. */
  get sinceTimeUs(): number {
    return this.#row.sinceTimeUs;
  }

  protected payload(): Record<string, unknown> {
    const { channel, state, reason, sinceTimeUs } = this;
    return { channel, state, reason, sinceTimeUs };
  }
}
