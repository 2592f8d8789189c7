import type {
  AggressorSide,
  BookRow,
  DecodedBatch,
  QuoteColumns,
  TradeColumns,
} from "@tickwire/proto/codec";
import { formatDecimal, toNumber, type Mantissa } from "@tickwire/proto/model";
import { bookLevels, type BookLevel } from "./book.ts";
import { EventBase, type EventBatch } from "./event-base.ts";
import type { TopicInfo } from "../topics/topic.ts";

type TradesBatch = Extract<DecodedBatch, { kind: "trades" }>;
type QuotesBatch = Extract<DecodedBatch, { kind: "quotes" }>;

/** One trade. price = priceMantissa / 10^priceScale, exactly; the same for size. */
export class Trade extends EventBase {
  /** Tells the kinds of events apart. */
  readonly type = "trade";
  readonly #columns: TradeColumns;
  readonly #index: number;

  constructor(info: TopicInfo, batch: TradesBatch, index: number) {
    super(info, batch, index);
    this.#columns = batch.columns;
    this.#index = index;
  }

  /** Nearest double. */
  get price(): number {
    return toNumber(this.priceMantissa, this.priceScale);
  }

  /** Exact plain decimal. */
  get priceText(): string {
    return formatDecimal(this.priceMantissa, this.priceScale);
  }

  /** The price without its point. */
  get priceMantissa(): Mantissa {
    return this.#columns.prices[this.#index]!;
  }

  /** Decimals of the prices. */
  get priceScale(): number {
    return this.#columns.priceScale;
  }

  /** Nearest double. */
  get size(): number {
    return toNumber(this.sizeMantissa, this.sizeScale);
  }

  /** Exact plain decimal. */
  get sizeText(): string {
    return formatDecimal(this.sizeMantissa, this.sizeScale);
  }

  /** The size without its point. */
  get sizeMantissa(): Mantissa {
    return this.#columns.sizes[this.#index]!;
  }

  /** Decimals of the sizes. */
  get sizeScale(): number {
    return this.#columns.sizeScale;
  }

  /** Who took liquidity; `none` where the venue says nobody did, or does not say. */
  get aggressorSide(): AggressorSide {
    return this.#columns.aggressorSides[this.#index]!;
  }

  /** As the venue writes it; empty if it gives none. */
  get tradeId(): string {
    return String(this.#columns.tradeIds[this.#index]);
  }

  /** An old trade that the venue sent on subscribing. */
  get historical(): boolean {
    return this.#columns.historical[this.#index]!;
  }

  protected payload(): Record<string, unknown> {
    return {
      price: this.priceText,
      size: this.sizeText,
      aggressorSide: this.aggressorSide,
      tradeId: this.tradeId,
      historical: this.historical,
    };
  }
}

/** Best bid and offer. A side without orders has size 0; its price then means nothing. */
export class Quote extends EventBase {
  /** Tells the kinds of events apart. */
  readonly type = "quote";
  readonly #columns: QuoteColumns;
  readonly #index: number;

  constructor(info: TopicInfo, batch: QuotesBatch, index: number) {
    super(info, batch, index);
    this.#columns = batch.columns;
    this.#index = index;
  }

  /** Decimals of the prices. */
  get priceScale(): number {
    return this.#columns.priceScale;
  }

  /** Decimals of the sizes. */
  get sizeScale(): number {
    return this.#columns.sizeScale;
  }

  /** The bid price without its point: bidPriceMantissa / 10^priceScale, exactly. */
  get bidPriceMantissa(): Mantissa {
    return this.#columns.bidPrices[this.#index]!;
  }

  /** The size bid without its point: bidSizeMantissa / 10^sizeScale, exactly. */
  get bidSizeMantissa(): Mantissa {
    return this.#columns.bidSizes[this.#index]!;
  }

  /** The ask price without its point: askPriceMantissa / 10^priceScale, exactly. */
  get askPriceMantissa(): Mantissa {
    return this.#columns.askPrices[this.#index]!;
  }

  /** The size asked without its point: askSizeMantissa / 10^sizeScale, exactly. */
  get askSizeMantissa(): Mantissa {
    return this.#columns.askSizes[this.#index]!;
  }

  /** Nearest double. */
  get bidPrice(): number {
    return toNumber(this.bidPriceMantissa, this.priceScale);
  }

  /** Nearest double. */
  get bidSize(): number {
    return toNumber(this.bidSizeMantissa, this.sizeScale);
  }

  /** Nearest double. */
  get askPrice(): number {
    return toNumber(this.askPriceMantissa, this.priceScale);
  }

  /** Nearest double. */
  get askSize(): number {
    return toNumber(this.askSizeMantissa, this.sizeScale);
  }

  /** Exact plain decimal. */
  get bidPriceText(): string {
    return formatDecimal(this.bidPriceMantissa, this.priceScale);
  }

  /** Exact plain decimal. */
  get bidSizeText(): string {
    return formatDecimal(this.bidSizeMantissa, this.sizeScale);
  }

  /** Exact plain decimal. */
  get askPriceText(): string {
    return formatDecimal(this.askPriceMantissa, this.priceScale);
  }

  /** Exact plain decimal. */
  get askSizeText(): string {
    return formatDecimal(this.askSizeMantissa, this.sizeScale);
  }

  protected payload(): Record<string, unknown> {
    return {
      bidPrice: this.bidPriceText,
      bidSize: this.bidSizeText,
      askPrice: this.askPriceText,
      askSize: this.askSizeText,
    };
  }
}

/** A change to a book, or the whole of it. Sizes are absolute; size 0 removes the level. */
export class BookEvent extends EventBase {
  /** Tells the kinds of events apart. */
  readonly type = "book";
  readonly #row: BookRow;
  #bids: readonly BookLevel[] | undefined;
  #asks: readonly BookLevel[] | undefined;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: BookRow) {
    super(info, batch, index);
    this.#row = row;
  }

  /** True if this replaces the whole book; its levels are then best first. */
  get snapshot(): boolean {
    return this.#row.snapshot;
  }

  /** Decimals of the prices. */
  get priceScale(): number {
    return this.#row.priceScale;
  }

  /** Decimals of the sizes. */
  get sizeScale(): number {
    return this.#row.sizeScale;
  }

  /** The levels of the bid side that changed; in a snapshot, all of them. */
  get bids(): readonly BookLevel[] {
    this.#bids ??= bookLevels(this.#row.bids, this.priceScale, this.sizeScale);
    return this.#bids;
  }

  /** The levels of the ask side that changed; in a snapshot, all of them. */
  get asks(): readonly BookLevel[] {
    this.#asks ??= bookLevels(this.#row.asks, this.priceScale, this.sizeScale);
    return this.#asks;
  }

  /** Mantissas in columns, for those who keep a book of their own. */
  get columns(): { readonly bids: BookRow["bids"]; readonly asks: BookRow["asks"] } {
    return this.#row;
  }

  protected payload(): Record<string, unknown> {
    return {
      snapshot: this.snapshot,
      bids: this.bids.map((level) => level.toJSON()),
      asks: this.asks.map((level) => level.toJSON()),
    };
  }
}
