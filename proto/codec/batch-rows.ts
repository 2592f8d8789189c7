import type { Mantissa } from "../model/decimal.ts";
import { idText } from "./id-text.ts";
import type { BatchRows, BookColumns, BookRow, DecodedBatch, QuoteRow, TradeRow } from "./types.ts";

/** Longer parts of a column are cut out by a call. */
const SLICED_MIN = 16;

/** The events of a batch one by one. Nothing in them refers to the batch's bytes. */
export function rowsOf(batch: DecodedBatch): BatchRows {
  if (batch.kind === "trades") return { kind: "trades", rows: tradeRows(batch) };
  if (batch.kind === "quotes") return { kind: "quotes", rows: quoteRows(batch) };
  if (batch.kind === "books") return { kind: "books", rows: bookRowsOf(batch) };
  return { kind: batch.kind, rows: batch.rows } as BatchRows;
}

function tradeRows(batch: Extract<DecodedBatch, { readonly kind: "trades" }>): TradeRow[] {
  const { columns, count } = batch;
  const rows: TradeRow[] = [];
  for (let index = 0; index < count; index += 1) {
    rows.push({
      venueTimeUs: batch.venueTimesUs[index],
      receivedTimeUs: batch.receivedTimesUs[index] as number,
      priceMantissa: columns.prices[index] as Mantissa,
      priceScale: columns.priceScale,
      sizeMantissa: columns.sizes[index] as Mantissa,
      sizeScale: columns.sizeScale,
      aggressorSide: columns.aggressorSides[index] as TradeRow["aggressorSide"],
      tradeId: idText(columns.tradeIds[index] as Mantissa | string),
      historical: columns.historical[index] as boolean,
    });
  }
  return rows;
}

function quoteRows(batch: Extract<DecodedBatch, { readonly kind: "quotes" }>): QuoteRow[] {
  const { columns, count } = batch;
  const rows: QuoteRow[] = [];
  for (let index = 0; index < count; index += 1) {
    rows.push({
      venueTimeUs: batch.venueTimesUs[index],
      receivedTimeUs: batch.receivedTimesUs[index] as number,
      priceScale: columns.priceScale,
      sizeScale: columns.sizeScale,
      bidPriceMantissa: columns.bidPrices[index] as Mantissa,
      bidSizeMantissa: columns.bidSizes[index] as Mantissa,
      askPriceMantissa: columns.askPrices[index] as Mantissa,
      askSizeMantissa: columns.askSizes[index] as Mantissa,
    });
  }
  return rows;
}

/** The events of a batch of books, for those who read nothing else by rows. */
export function bookRowsOf(batch: Extract<DecodedBatch, { readonly kind: "books" }>): BookRow[] {
  const { columns, count } = batch;
  const rows: BookRow[] = [];
  let level = 0;
  for (let index = 0; index < count; index += 1) {
    const asksStart = level + (columns.bidCounts[index] as number);
    const asksEnd = asksStart + (columns.askCounts[index] as number);
    rows.push({
      venueTimeUs: batch.venueTimesUs[index],
      receivedTimeUs: batch.receivedTimesUs[index] as number,
      snapshot: columns.snapshots[index] as boolean,
      priceScale: columns.priceScale,
      sizeScale: columns.sizeScale,
      bids: levels(columns, level, asksStart),
      asks: levels(columns, asksStart, asksEnd),
    });
    level = asksEnd;
  }
  return rows;
}

function levels(columns: BookColumns, start: number, end: number): BookRow["bids"] {
  return { prices: part(columns.prices, start, end), sizes: part(columns.sizes, start, end) };
}

/** As `slice`, whose call takes longer than copying the few levels that most changes have. */
function part(column: readonly Mantissa[], start: number, end: number): readonly Mantissa[] {
  const length = end - start;
  if (length > SLICED_MIN) return column.slice(start, end);
  // oxlint-disable-next-line unicorn/no-new-array -- short
  const entries = new Array<Mantissa>(length);
  for (let index = 0; index < length; index += 1)
    entries[index] = column[start + index] as Mantissa;
  return entries;
}
