import type { AggressorSide, BookRow, DecodedBatch } from "@tickwire/proto/codec";
import { formatDecimal, toNumber, type Mantissa } from "@tickwire/proto/model";
import { bookLevels, type BookLevel } from "./book.ts";
import { EventBase, type EventBatch } from "./event-base.ts";
import type { TopicInfo } from "../topics/topic.ts";

type TradesBatch = Extract<DecodedBatch, { kind: "trades" }>;
type QuotesBatch = Extract<DecodedBatch, { kind: "quotes" }>;

/** One trade. price = priceMantissa / 10^priceScale, exactly; the same for size. */
export class Trade extends EventBase<"trade"> {
  /** Nearest double. */
  readonly price: number;
  /** Exact plain decimal. */
  readonly priceText: string;
  /** The price without its point. */
  readonly priceMantissa: Mantissa;
  /** Decimals of the price. */
  readonly priceScale: number;
  /** Nearest double. */
  readonly size: number;
  /** Exact plain decimal. */
  readonly sizeText: string;
  /** The size without its point. */
  readonly sizeMantissa: Mantissa;
  /** Decimals of the size. */
  readonly sizeScale: number;
  /** Who took liquidity; `none` where the venue says nobody did, or does not say. */
  readonly aggressorSide: AggressorSide;
  /** As the venue writes it; undefined if it gives none. */
  readonly tradeId: string | undefined;
  /** An old trade that the venue sent on subscribing. */
  readonly historical: boolean;

  constructor(info: TopicInfo, batch: TradesBatch, index: number) {
    super("trade", info, batch, index);
    const { columns } = batch;
    const { priceScale, sizeScale } = columns;
    const priceMantissa = columns.prices[index]!;
    const sizeMantissa = columns.sizes[index]!;
    this.price = toNumber(priceMantissa, priceScale);
    this.priceText = formatDecimal(priceMantissa, priceScale);
    this.priceMantissa = priceMantissa;
    this.priceScale = priceScale;
    this.size = toNumber(sizeMantissa, sizeScale);
    this.sizeText = formatDecimal(sizeMantissa, sizeScale);
    this.sizeMantissa = sizeMantissa;
    this.sizeScale = sizeScale;
    this.aggressorSide = columns.aggressorSides[index]!;
    const id = columns.tradeIds[index]!;
    this.tradeId = id === "" ? undefined : String(id);
    this.historical = columns.historical[index]!;
  }
}

/** Best bid and offer. A side without orders has size 0; its price then means nothing. */
export class Quote extends EventBase<"quote"> {
  /** Decimals of the prices. */
  readonly priceScale: number;
  /** Decimals of the sizes. */
  readonly sizeScale: number;
  /** Nearest double. */
  readonly bidPrice: number;
  /** Exact plain decimal. */
  readonly bidPriceText: string;
  /** The bid price without its point: bidPriceMantissa / 10^priceScale, exactly. */
  readonly bidPriceMantissa: Mantissa;
  /** Nearest double. */
  readonly bidSize: number;
  /** Exact plain decimal. */
  readonly bidSizeText: string;
  /** The size bid without its point: bidSizeMantissa / 10^sizeScale, exactly. */
  readonly bidSizeMantissa: Mantissa;
  /** Nearest double. */
  readonly askPrice: number;
  /** Exact plain decimal. */
  readonly askPriceText: string;
  /** The ask price without its point: askPriceMantissa / 10^priceScale, exactly. */
  readonly askPriceMantissa: Mantissa;
  /** Nearest double. */
  readonly askSize: number;
  /** Exact plain decimal. */
  readonly askSizeText: string;
  /** The size asked without its point: askSizeMantissa / 10^sizeScale, exactly. */
  readonly askSizeMantissa: Mantissa;

  constructor(info: TopicInfo, batch: QuotesBatch, index: number) {
    super("quote", info, batch, index);
    const { columns } = batch;
    const { priceScale, sizeScale } = columns;
    const bidPrice = columns.bidPrices[index]!;
    const bidSize = columns.bidSizes[index]!;
    const askPrice = columns.askPrices[index]!;
    const askSize = columns.askSizes[index]!;
    this.priceScale = priceScale;
    this.sizeScale = sizeScale;
    this.bidPrice = toNumber(bidPrice, priceScale);
    this.bidPriceText = formatDecimal(bidPrice, priceScale);
    this.bidPriceMantissa = bidPrice;
    this.bidSize = toNumber(bidSize, sizeScale);
    this.bidSizeText = formatDecimal(bidSize, sizeScale);
    this.bidSizeMantissa = bidSize;
    this.askPrice = toNumber(askPrice, priceScale);
    this.askPriceText = formatDecimal(askPrice, priceScale);
    this.askPriceMantissa = askPrice;
    this.askSize = toNumber(askSize, sizeScale);
    this.askSizeText = formatDecimal(askSize, sizeScale);
    this.askSizeMantissa = askSize;
  }
}

/** A change to a book, or the whole of it. Sizes are absolute; size 0 removes the level. */
export class BookEvent extends EventBase<"book"> {
  /** True if this replaces the whole book; its levels are then best first. */
  readonly snapshot: boolean;
  /** Decimals of the prices. */
  readonly priceScale: number;
  /** Decimals of the sizes. */
  readonly sizeScale: number;
  /** The levels of the bid side that changed; in a snapshot, all of them. */
  readonly bids: readonly BookLevel[];
  /** The levels of the ask side that changed; in a snapshot, all of them. */
  readonly asks: readonly BookLevel[];
  readonly #row: BookRow;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: BookRow) {
    super("book", info, batch, index);
    const { snapshot, priceScale, sizeScale } = row;
    this.snapshot = snapshot;
    this.priceScale = priceScale;
    this.sizeScale = sizeScale;
    this.bids = bookLevels(row.bids, priceScale, sizeScale);
    this.asks = bookLevels(row.asks, priceScale, sizeScale);
    this.#row = row;
  }

  /** Mantissas in columns, for those who keep a book of their own. Not part of a copy. */
  get columns(): { readonly bids: BookRow["bids"]; readonly asks: BookRow["asks"] } {
    return this.#row;
  }
}
