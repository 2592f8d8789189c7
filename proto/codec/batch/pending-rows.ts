import type { Mantissa } from "../../model/decimal.ts";
import type { BatchRows, BookRow, QuoteRow, TradeRow } from "../types.ts";
import { PendingBooks, PendingQuotes, PendingTrades, SideCode } from "./pending-columns.ts";
import type { PendingColumns } from "./pending-columns.ts";
import { smallId } from "./trade-id-form.ts";

type PendingEvents = Pick<PendingColumns, "receivedTimesUs" | "venueTimesUs">;

const SIDES = ["none", "buyer", "seller"] as const;

const SIDE_CODES = { none: SideCode.None, buyer: SideCode.Buyer, seller: SideCode.Seller };

/** The events one by one. */
export function rowsOfPending(columns: PendingColumns): BatchRows {
  switch (columns.kind) {
    case "trades":
      return { kind: "trades", rows: Array.from({ length: columns.count }, tradeRowOf(columns)) };
    case "quotes":
      return { kind: "quotes", rows: Array.from({ length: columns.count }, quoteRowOf(columns)) };
    case "books":
      return { kind: "books", rows: bookRows(columns) };
  }
}

/** Undefined for no time. */
function venueTimeOf({ venueTimesUs }: PendingEvents, index: number): number | undefined {
  const venueTimeUs = venueTimesUs[index] as number;
  return Number.isNaN(venueTimeUs) ? undefined : venueTimeUs;
}

function tradeRowOf(columns: PendingTrades) {
  return (_: unknown, index: number): TradeRow => {
    const id = columns.ids[index] as number;
    return {
      venueTimeUs: venueTimeOf(columns, index),
      receivedTimeUs: columns.receivedTimesUs[index] as number,
      priceMantissa: columns.prices[index] as number,
      priceScale: columns.priceScale,
      sizeMantissa: columns.sizes[index] as number,
      sizeScale: columns.sizeScale,
      aggressorSide: SIDES[columns.sides[index] as number] ?? "none",
      tradeId: Number.isNaN(id) ? (columns.idTexts[index] as string) : String(id),
      historical: false,
    };
  };
}

function quoteRowOf(columns: PendingQuotes) {
  return (_: unknown, index: number): QuoteRow => ({
    venueTimeUs: venueTimeOf(columns, index),
    receivedTimeUs: columns.receivedTimesUs[index] as number,
    priceScale: columns.priceScale,
    sizeScale: columns.sizeScale,
    bidPriceMantissa: columns.bidPrices[index] as number,
    bidSizeMantissa: columns.bidSizes[index] as number,
    askPriceMantissa: columns.askPrices[index] as number,
    askSizeMantissa: columns.askSizes[index] as number,
  });
}

function bookRows(columns: PendingBooks): BookRow[] {
  const { priceScale, sizeScale } = columns;
  const rows: BookRow[] = [];
  let level = 0;
  const levels = (count: number): BookRow["bids"] => {
    const start = level;
    level += count;
    return {
      prices: Array.from(columns.prices.subarray(start, level)),
      sizes: Array.from(columns.sizes.subarray(start, level)),
    };
  };
  for (let index = 0; index < columns.count; index += 1) {
    rows.push({
      venueTimeUs: venueTimeOf(columns, index),
      receivedTimeUs: columns.receivedTimesUs[index] as number,
      snapshot: false,
      priceScale,
      sizeScale,
      bids: levels(columns.bidCounts[index] as number),
      asks: levels(columns.askCounts[index] as number),
    });
  }
  return rows;
}

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
const trades = new PendingTrades();
const quotes = new PendingQuotes();
const books = new PendingBooks();

/**
 * The events as columns, valid until the next call; undefined if columns cannot hold them. What
 * they hold may still be no number that a batch may have.
 */
export function pendingOfRows(rows: BatchRows): PendingColumns | undefined {
  if (rows.rows.length === 0) return undefined;
  if (rows.kind === "trades") return gatherTrades(rows.rows);
  if (rows.kind === "quotes") return gatherQuotes(rows.rows);
  if (rows.kind === "books") return gatherBooks(rows.rows);
  return undefined;
}

/** Starts columns anew, with the scales of the first row. */
function restart(
  columns: PendingColumns,
  { priceScale, sizeScale }: { readonly priceScale: number; readonly sizeScale: number },
): void {
  columns.clear();
  columns.priceScale = priceScale;
  columns.sizeScale = sizeScale;
}

/** NaN for what is no number, which no batch is written of. */
function numberOf(mantissa: Mantissa): number {
  return typeof mantissa === "number" ? mantissa : NaN;
}

function gatherTrades(rows: readonly TradeRow[]): PendingTrades | undefined {
  const { priceScale, sizeScale } = rows[0] as TradeRow;
  restart(trades, { priceScale, sizeScale });
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as TradeRow;
    if (row.priceScale !== priceScale || row.sizeScale !== sizeScale || row.historical) {
      return undefined;
    }
    trades.reserve();
    trades.receivedTimesUs[index] = row.receivedTimeUs;
    trades.venueTimesUs[index] = row.venueTimeUs ?? NaN;
    trades.prices[index] = numberOf(row.priceMantissa);
    trades.sizes[index] = numberOf(row.sizeMantissa);
    trades.sides[index] = SIDE_CODES[row.aggressorSide];
    const id = smallId(row.tradeId);
    trades.ids[index] = id < 0 ? NaN : id;
    if (id < 0) trades.idTexts[index] = row.tradeId;
    trades.count = index + 1;
  }
  return trades;
}

function gatherQuotes(rows: readonly QuoteRow[]): PendingQuotes | undefined {
  const { priceScale, sizeScale } = rows[0] as QuoteRow;
  restart(quotes, { priceScale, sizeScale });
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as QuoteRow;
    if (row.priceScale !== priceScale || row.sizeScale !== sizeScale) return undefined;
    quotes.reserve();
    quotes.receivedTimesUs[index] = row.receivedTimeUs;
    quotes.venueTimesUs[index] = row.venueTimeUs ?? NaN;
    quotes.bidPrices[index] = numberOf(row.bidPriceMantissa);
    quotes.bidSizes[index] = numberOf(row.bidSizeMantissa);
    quotes.askPrices[index] = numberOf(row.askPriceMantissa);
    quotes.askSizes[index] = numberOf(row.askSizeMantissa);
    quotes.count = index + 1;
  }
  return quotes;
}

function gatherBooks(rows: readonly BookRow[]): PendingBooks | undefined {
  const { priceScale, sizeScale } = rows[0] as BookRow;
  restart(books, { priceScale, sizeScale });
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as BookRow;
    if (row.priceScale !== priceScale || row.sizeScale !== sizeScale || row.snapshot) {
      return undefined;
    }
    books.reserve();
    books.receivedTimesUs[index] = row.receivedTimeUs;
    books.venueTimesUs[index] = row.venueTimeUs ?? NaN;
    gatherLevels(row.bids);
    gatherLevels(row.asks);
    books.bidCounts[index] = row.bids.prices.length;
    books.askCounts[index] = row.asks.prices.length;
    books.count = index + 1;
  }
  return books;
}

function gatherLevels({ prices, sizes }: BookRow["bids"]): void {
  const { length } = prices;
  books.reserveLevels(length);
  const first = books.levelCount;
  for (let index = 0; index < length; index += 1) {
    books.prices[first + index] = numberOf(prices[index] as Mantissa);
    books.sizes[first + index] = numberOf(sizes[index] as Mantissa);
  }
  books.levelCount = first + length;
}
