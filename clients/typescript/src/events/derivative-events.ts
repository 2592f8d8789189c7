import type {
  AggressorSide,
  FundingRow,
  LiquidationRow,
  MarkPriceRow,
  OpenInterestRow,
} from "@tickwire/proto/codec";
import type { TopicInfo } from "../topics/topic.ts";
import { numberOfOptionalText, numberOfText } from "./decimal-numbers.ts";
import type { EventBatch } from "./event-base.ts";
import { RowEvent } from "./row-event.ts";

/** The funding rate of a perpetual. */
export class Funding extends RowEvent<"funding", FundingRow> {
  /** Per funding interval as a fraction: 0.0001 is 0.01 %. */
  readonly rate: number;
  /** Exact plain decimal. */
  readonly rateText: string;
  /** When it is next paid, microseconds since 1970; undefined if unknown. */
  readonly nextFundingTimeUs: number | undefined;
  /** Undefined if unknown. */
  readonly intervalMs: number | undefined;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: FundingRow) {
    super("funding", info, batch, index, row);
    this.rate = numberOfText(row.rate);
    this.rateText = row.rate;
    this.nextFundingTimeUs = row.nextFundingTimeUs;
    this.intervalMs = row.intervalMs;
  }
}

/** The price that a derivative is marked to. */
export class MarkPrice extends RowEvent<"mark-price", MarkPriceRow> {
  /** The nearest double. */
  readonly markPrice: number;
  /** Exact plain decimal. */
  readonly markPriceText: string;
  /** Undefined if the venue does not say. */
  readonly indexPrice: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly indexPriceText: string | undefined;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: MarkPriceRow) {
    super("mark-price", info, batch, index, row);
    this.markPrice = numberOfText(row.markPrice);
    this.markPriceText = row.markPrice;
    this.indexPrice = numberOfOptionalText(row.indexPrice);
    this.indexPriceText = row.indexPrice;
  }
}

/** Open interest of a derivative. */
export class OpenInterest extends RowEvent<"open-interest", OpenInterestRow> {
  /** In contracts (or base units where the venue counts so). */
  readonly openInterest: number;
  /** Exact plain decimal. */
  readonly openInterestText: string;
  /** In the quote asset; undefined if the venue does not say. */
  readonly openInterestValue: number | undefined;
  /** Exact plain decimal; undefined if the venue does not say. */
  readonly openInterestValueText: string | undefined;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: OpenInterestRow) {
    super("open-interest", info, batch, index, row);
    this.openInterest = numberOfText(row.openInterest);
    this.openInterestText = row.openInterest;
    this.openInterestValue = numberOfOptionalText(row.openInterestValue);
    this.openInterestValueText = row.openInterestValue;
  }
}

/** A liquidation order. */
export class Liquidation extends RowEvent<"liquidation", LiquidationRow> {
  /** The nearest double. */
  readonly price: number;
  /** Exact plain decimal. */
  readonly priceText: string;
  /** The nearest double. */
  readonly size: number;
  /** Exact plain decimal. */
  readonly sizeText: string;
  /** Side of the liquidation order: `seller` if a long position was liquidated. */
  readonly aggressorSide: AggressorSide;
  /** Undefined if the venue gives none. */
  readonly liquidationId: string | undefined;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: LiquidationRow) {
    super("liquidation", info, batch, index, row);
    this.price = numberOfText(row.price);
    this.priceText = row.price;
    this.size = numberOfText(row.size);
    this.sizeText = row.size;
    this.aggressorSide = row.aggressorSide;
    this.liquidationId = row.liquidationId;
  }
}
