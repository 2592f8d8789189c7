import type {
  BookRow,
  CandleRow,
  FundingRow,
  LiquidationRow,
  MarkPriceRow,
  OpenInterestRow,
  QuoteRow,
  StatusRow,
  TickerRow,
  TradeRow,
} from "@tickwire/proto/codec";
import { formatDecimal, type Mantissa } from "@tickwire/proto/model";

/** The instrument of an event. It is compared by identity: pass one object per instrument. */
export type EventSource = {
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
};

/** An event of any kind, tagged by the `type` that is printed. */
export type TypedRow =
  | { readonly type: "trade"; readonly row: TradeRow }
  | { readonly type: "quote"; readonly row: QuoteRow }
  | { readonly type: "book"; readonly row: BookRow }
  | { readonly type: "candle"; readonly row: CandleRow }
  | { readonly type: "ticker"; readonly row: TickerRow }
  | { readonly type: "funding"; readonly row: FundingRow }
  | { readonly type: "mark-price"; readonly row: MarkPriceRow }
  | { readonly type: "open-interest"; readonly row: OpenInterestRow }
  | { readonly type: "liquidation"; readonly row: LiquidationRow }
  | { readonly type: "status"; readonly row: StatusRow };
export type EventType = TypedRow["type"];

export type EventPosition = { readonly epoch: number; readonly sequence: number };

/** Text that stands in JSON as it is. */
const PLAIN_TEXT = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * Writes events as JSON objects, the one form that `normalize` and `subscribe --json` print. Keys
 * are in a fixed order; decimals are exact plain text; what the venue does not say is absent.
 */
export class EventJson {
  readonly #heads = new Map<EventType, WeakMap<EventSource, string>>();

  /** One JSON object without a newline. */
  format(source: EventSource, position: EventPosition, event: TypedRow): string {
    return this.#start(event.type, source, position, event.row) + formatRow(event) + "}";
  }

  #start(
    type: EventType,
    source: EventSource,
    position: EventPosition,
    row: { readonly venueTimeUs: number | undefined; readonly receivedTimeUs: number },
  ): string {
    const venueTime = row.venueTimeUs === undefined ? "" : `,"venueTimeUs":${row.venueTimeUs}`;
    return `${this.#head(type, source)},"epoch":${position.epoch},"sequence":${position.sequence}${
      venueTime
    },"receivedTimeUs":${row.receivedTimeUs}`;
  }

  #head(type: EventType, source: EventSource): string {
    let heads = this.#heads.get(type);
    if (heads === undefined) {
      heads = new WeakMap();
      this.#heads.set(type, heads);
    }
    let head = heads.get(source);
    if (head === undefined) {
      const { venue, symbol, venueSymbol } = source;
      head = JSON.stringify({ type, venue, symbol, venueSymbol }).slice(0, -1);
      heads.set(source, head);
    }
    return head;
  }
}

function formatRow(event: TypedRow): string {
  switch (event.type) {
    case "trade":
      return formatTrade(event.row);
    case "quote":
      return formatQuote(event.row);
    case "book":
      return formatBook(event.row);
    case "candle":
      return formatCandle(event.row);
    case "ticker":
      return formatTicker(event.row);
    case "funding":
      return formatFunding(event.row);
    case "mark-price":
      return text("markPrice", event.row.markPrice) + text("indexPrice", event.row.indexPrice);
    case "open-interest":
      return (
        text("openInterest", event.row.openInterest) +
        text("openInterestValue", event.row.openInterestValue)
      );
    case "liquidation":
      return formatLiquidation(event.row);
    case "status":
      return formatStatus(event.row);
  }
}

function formatTrade(row: TradeRow): string {
  return (
    decimal("price", row.priceMantissa, row.priceScale) +
    decimal("size", row.sizeMantissa, row.sizeScale) +
    `,"aggressorSide":"${row.aggressorSide}"${text("tradeId", row.tradeId)}` +
    `,"historical":${row.historical}`
  );
}

function formatQuote(row: QuoteRow): string {
  const { priceScale, sizeScale } = row;
  return (
    decimal("bidPrice", row.bidPriceMantissa, priceScale) +
    decimal("bidSize", row.bidSizeMantissa, sizeScale) +
    decimal("askPrice", row.askPriceMantissa, priceScale) +
    decimal("askSize", row.askSizeMantissa, sizeScale)
  );
}

function formatBook(row: BookRow): string {
  return `,"snapshot":${row.snapshot},"bids":${formatSide(row, row.bids)},"asks":${formatSide(
    row,
    row.asks,
  )}`;
}

function formatSide(row: BookRow, side: BookRow["bids"]): string {
  const { prices, sizes } = side;
  let levels = "[";
  for (let i = 0; i < prices.length; i++) {
    const price = formatDecimal(prices[i] as Mantissa, row.priceScale);
    const size = formatDecimal(sizes[i] as Mantissa, row.sizeScale);
    levels += `${i === 0 ? "" : ","}["${price}","${size}"]`;
  }
  return `${levels}]`;
}

function formatCandle(row: CandleRow): string {
  return (
    `,"intervalMs":${row.intervalMs},"openTimeUs":${row.openTimeUs}` +
    text("open", row.open) +
    text("high", row.high) +
    text("low", row.low) +
    text("close", row.close) +
    text("volume", row.volume) +
    text("quoteVolume", row.quoteVolume) +
    integer("tradeCount", row.tradeCount) +
    `,"closed":${row.closed}`
  );
}

function formatTicker(row: TickerRow): string {
  return (
    text("lastPrice", row.lastPrice) +
    text("lastSize", row.lastSize) +
    text("openPrice", row.openPrice) +
    text("highPrice", row.highPrice) +
    text("lowPrice", row.lowPrice) +
    text("volume", row.volume) +
    text("quoteVolume", row.quoteVolume) +
    text("bidPrice", row.bidPrice) +
    text("askPrice", row.askPrice)
  );
}

function formatFunding(row: FundingRow): string {
  return (
    text("rate", row.rate) +
    integer("nextFundingTimeUs", row.nextFundingTimeUs) +
    integer("intervalMs", row.intervalMs)
  );
}

function formatLiquidation(row: LiquidationRow): string {
  return (
    text("price", row.price) +
    text("size", row.size) +
    `,"aggressorSide":"${row.aggressorSide}"` +
    text("liquidationId", row.liquidationId)
  );
}

function formatStatus(row: StatusRow): string {
  return (
    text("channel", row.channel) +
    `,"state":"${row.state}"` +
    text("reason", row.reason) +
    integer("sinceTimeUs", row.sinceTimeUs)
  );
}

/** A mantissa consists of digits, so it needs no escaping. */
function decimal(name: string, mantissa: Mantissa, scale: number): string {
  return `,"${name}":"${formatDecimal(mantissa, scale)}"`;
}

function text(name: string, value: string | undefined): string {
  if (value === undefined) return "";
  return PLAIN_TEXT.test(value) ? `,"${name}":"${value}"` : `,"${name}":${JSON.stringify(value)}`;
}

function integer(name: string, value: number | undefined): string {
  return value === undefined ? "" : `,"${name}":${value}`;
}
