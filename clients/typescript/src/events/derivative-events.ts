import type {
  AggressorSide,
  FundingRow,
  LiquidationRow,
  MarkPriceRow,
  OpenInterestRow,
} from "@tickwire/proto/codec";
import { numberOfOptionalText, numberOfText } from "./event-base.ts";
import { RowEvent } from "./row-event.ts";

/** The funding rate of a perpetual. */
export class Funding extends RowEvent<FundingRow> {
  /** Tells the kinds of events apart. */
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
  /** Tells the kinds of events apart. */
  readonly type = "mark-price";

  /** The nearest double. */
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
  /** Tells the kinds of events apart. */
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
  /** Tells the kinds of events apart. */
  readonly type = "liquidation";

  /** The nearest double. */
  get price(): number {
    return numberOfText(this.row.price);
  }

  /** Exact plain decimal. */
  get priceText(): string {
    return this.row.price;
  }

  /** The nearest double. */
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
