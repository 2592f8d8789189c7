// An independent reading and writing of batches: protobufjs for the bytes, bigints and text for the
// arithmetic, straight from the comments in batch.proto. Slow, and shares no code with the codec.
import { tickwire } from "@tickwire/proto/protobufjs";
import type { BatchHeaderInit, BookRow, QuoteRow, TradeRow } from "@tickwire/proto/codec";

type Wire = ReturnType<typeof tickwire.v1.Batch.decode>;
type Integer64 =
  | number
  | { readonly low: number; readonly high: number; readonly unsigned: boolean };
type Text = { readonly index?: number | null; readonly text?: string | null };

/** An event with its decimals as text, which is what both sides must agree on. */
type PlainEvent = Record<string, unknown>;

function decimalText(mantissa: number | bigint, scale: number): string {
  const value = BigInt(mantissa);
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  const sign = value < 0n ? "-" : "";
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

export function plainTrade(row: TradeRow): PlainEvent {
  return {
    venueTimeUs: row.venueTimeUs,
    receivedTimeUs: row.receivedTimeUs,
    price: decimalText(row.priceMantissa, row.priceScale),
    size: decimalText(row.sizeMantissa, row.sizeScale),
    aggressorSide: row.aggressorSide,
    tradeId: row.tradeId,
    historical: row.historical,
  };
}

export function plainQuote(row: QuoteRow): PlainEvent {
  return {
    venueTimeUs: row.venueTimeUs,
    receivedTimeUs: row.receivedTimeUs,
    bidPrice: decimalText(row.bidPriceMantissa, row.priceScale),
    bidSize: decimalText(row.bidSizeMantissa, row.sizeScale),
    askPrice: decimalText(row.askPriceMantissa, row.priceScale),
    askSize: decimalText(row.askSizeMantissa, row.sizeScale),
  };
}

export function plainBook(row: BookRow): PlainEvent {
  const levels = ({ prices, sizes }: BookRow["bids"]): string[][] =>
    prices.map((price, index) => [
      decimalText(price, row.priceScale),
      decimalText(sizes[index] ?? NaN, row.sizeScale),
    ]);
  return {
    venueTimeUs: row.venueTimeUs,
    receivedTimeUs: row.receivedTimeUs,
    snapshot: row.snapshot,
    bids: levels(row.bids),
    asks: levels(row.asks),
  };
}

export function big(value: Integer64 | null | undefined): bigint {
  if (typeof value === "number") return BigInt(value);
  if (value === null || value === undefined) return 0n;
  const { low, high, unsigned } = value;
  const bits = (BigInt(high) << 32n) + BigInt(low >>> 0);
  return unsigned ? BigInt.asUintN(64, bits) : bits;
}

/** What protobufjs takes for 64 bits: anything with two halves, which its typings call a Long. */
export function long(value: bigint): number {
  const bits = BigInt.asUintN(64, value);
  const low = Number(bits & 0xffff_ffffn) | 0;
  const high = Number(bits >> 32n) | 0;
  return { low, high, unsigned: false } as unknown as number;
}

const SIDES = ["none", "buyer", "seller", "none"];

/** The events of an encoded batch of trades, quotes or books. */
export function oracleEvents(bytes: Uint8Array): PlainEvent[] {
  const batch = tickwire.v1.Batch.decode(bytes);
  const times = oracleTimes(batch);
  if (batch.trades) return oracleTrades(batch.trades, times);
  if (batch.quotes) return oracleQuotes(batch.quotes, times);
  if (batch.books) return oracleBooks(batch.books, times);
  throw new Error("no hot payload");
}

function oracleTimes(batch: Wire): PlainEvent[] {
  let received = big(batch.receivedTimeUs);
  return Array.from({ length: batch.count }, (_, index) => {
    received += big(batch.receivedTimeDeltasUs[index]);
    const venue = received + big(batch.venueTimeOffsetsUs[index]);
    const isAbsent = batch.venueTimeAbsent[index] === true;
    return {
      venueTimeUs: isAbsent ? undefined : Number(venue),
      receivedTimeUs: Number(received),
    };
  });
}

/** Sums modulo 2^64, before texts are put in. */
function runningSums(deltas: readonly Integer64[] | null | undefined, count: number): bigint[] {
  let sum = 0n;
  return Array.from({ length: count }, (_, index) => {
    sum = BigInt.asIntN(64, sum + big(deltas?.[index]));
    return sum;
  });
}

function texts(
  mantissas: readonly bigint[],
  scale: number | null | undefined,
  escaped: readonly Text[] | null | undefined,
): string[] {
  const column = mantissas.map((mantissa) => decimalText(mantissa, scale ?? 0));
  for (const { index, text } of escaped ?? []) column[index ?? 0] = text ?? "";
  return column;
}

function oracleTrades(
  trades: tickwire.v1.TradeBatch.$Properties,
  times: PlainEvent[],
): PlainEvent[] {
  const count = times.length;
  const sums = runningSums(trades.priceDeltas, count);
  const prices = texts(sums, trades.priceScale, trades.priceTexts);
  const sizes = texts(columnOf(trades.sizes, count), trades.sizeScale, trades.sizeTexts);
  const ids = trades.tradeIdDeltas?.length
    ? runningSums(trades.tradeIdDeltas, count).map(String)
    : (trades.tradeIds ?? []);
  return times.map((time, index) => ({
    ...time,
    price: prices[index],
    size: sizes[index],
    aggressorSide: SIDES[trades.aggressorSides?.[index] ?? 0] ?? "none",
    tradeId: ids[index] ?? "",
    historical: trades.historical?.[index] ?? false,
  }));
}

function columnOf(values: readonly Integer64[] | null | undefined, count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => big(values?.[index]));
}

function oracleQuotes(
  quotes: tickwire.v1.QuoteBatch.$Properties,
  times: PlainEvent[],
): PlainEvent[] {
  const count = times.length;
  const bids = runningSums(quotes.bidPriceDeltas, count);
  const offsets = columnOf(quotes.askPriceOffsets, count);
  const asks = bids.map((bid, index) => BigInt.asIntN(64, bid + (offsets[index] ?? 0n)));
  const { priceScale, sizeScale } = quotes;
  const bidPrices = texts(bids, priceScale, quotes.bidPriceTexts);
  const askPrices = texts(asks, priceScale, quotes.askPriceTexts);
  const bidSizes = texts(columnOf(quotes.bidSizes, count), sizeScale, quotes.bidSizeTexts);
  const askSizes = texts(columnOf(quotes.askSizes, count), sizeScale, quotes.askSizeTexts);
  return times.map((time, index) => ({
    ...time,
    bidPrice: bidPrices[index],
    bidSize: bidSizes[index],
    askPrice: askPrices[index],
    askSize: askSizes[index],
  }));
}

function oracleBooks(books: tickwire.v1.BookBatch.$Properties, times: PlainEvent[]): PlainEvent[] {
  const total = [...(books.bidCounts ?? []), ...(books.askCounts ?? [])].reduce((a, b) => a + b, 0);
  const prices = texts(runningSums(books.priceDeltas, total), books.priceScale, books.priceTexts);
  const sizes = texts(columnOf(books.sizes, total), books.sizeScale, books.sizeTexts);
  let level = 0;
  const take = (count: number): (string | undefined)[][] => {
    const start = level;
    level += count;
    return Array.from({ length: count }, (_, index) => [
      prices[start + index],
      sizes[start + index],
    ]);
  };
  return times.map((time, index) => ({
    ...time,
    snapshot: books.snapshots?.[index] ?? false,
    bids: take(books.bidCounts?.[index] ?? 0),
    asks: take(books.askCounts?.[index] ?? 0),
  }));
}

/** One decimal column as the schema wants it, at a scale that the caller chose. */
type OracleColumn = { mantissas: bigint[]; texts: { index: number; text: string }[] };

function oracleColumn(
  values: readonly (readonly [number | bigint, number])[],
  scale: number,
): OracleColumn {
  const column: OracleColumn = { mantissas: [], texts: [] };
  let previous = 0n;
  for (const [index, [mantissa, own]] of values.entries()) {
    const fits = own <= scale && abs(BigInt(mantissa) * 10n ** BigInt(scale - own)) < 2n ** 63n;
    if (fits) previous = BigInt(mantissa) * 10n ** BigInt(scale - own);
    else column.texts.push({ index, text: decimalText(mantissa, own) });
    column.mantissas.push(previous);
  }
  return column;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function differences(values: readonly bigint[]): number[] {
  return values.map((value, index) => long(value - (values[index - 1] ?? 0n)));
}

/** Sizes hold 0 where the text is. */
function sizesOf(column: OracleColumn): number[] {
  const escaped = new Set(column.texts.map(({ index }) => index));
  return column.mantissas.map((mantissa, index) => long(escaped.has(index) ? 0n : mantissa));
}

/** A batch of trades written by protobufjs, at any scale. */
export function oracleTradeBatch(
  header: BatchHeaderInit,
  rows: readonly TradeRow[],
  { priceScale, sizeScale }: { readonly priceScale: number; readonly sizeScale: number },
): Uint8Array {
  const prices = oracleColumn(
    rows.map((row) => [row.priceMantissa, row.priceScale]),
    priceScale,
  );
  const sizes = oracleColumn(
    rows.map((row) => [row.sizeMantissa, row.sizeScale]),
    sizeScale,
  );
  const times = rows.map((row) => BigInt(row.receivedTimeUs));
  return tickwire.v1.Batch.encode({
    epoch: header.epoch,
    firstSequence: header.firstSequence,
    count: rows.length,
    publishedTimeUs: header.publishedTimeUs,
    receivedTimeUs: rows[0]?.receivedTimeUs ?? 0,
    receivedTimeDeltasUs: times.map((time, index) => long(time - (times[index - 1] ?? time))),
    venueTimeOffsetsUs: rows.map((row) =>
      long(BigInt(row.venueTimeUs ?? row.receivedTimeUs) - BigInt(row.receivedTimeUs)),
    ),
    venueTimeAbsent: rows.map((row) => row.venueTimeUs === undefined),
    trades: {
      priceScale,
      sizeScale,
      priceDeltas: differences(prices.mantissas),
      sizes: sizesOf(sizes),
      aggressorSides: rows.map((row) => SIDES.indexOf(row.aggressorSide, 1)),
      tradeIds: rows.map((row) => row.tradeId),
      historical: rows.map((row) => row.historical),
      priceTexts: prices.texts,
      sizeTexts: sizes.texts,
    },
  }).finish();
}

/** A batch of books written by protobufjs, at any scale. */
export function oracleBookBatch(
  header: BatchHeaderInit,
  rows: readonly BookRow[],
  { priceScale, sizeScale }: { readonly priceScale: number; readonly sizeScale: number },
): Uint8Array {
  const levels = rows.flatMap((row) => [row.bids, row.asks].map((side) => ({ ...side, row })));
  const prices = oracleColumn(
    levels.flatMap(({ prices: side, row }) =>
      side.map((price) => [price, row.priceScale] as const),
    ),
    priceScale,
  );
  const sizes = oracleColumn(
    levels.flatMap(({ sizes: side, row }) => side.map((size) => [size, row.sizeScale] as const)),
    sizeScale,
  );
  return tickwire.v1.Batch.encode({
    epoch: header.epoch,
    firstSequence: header.firstSequence,
    count: rows.length,
    publishedTimeUs: header.publishedTimeUs,
    venueTimeAbsent: rows.map((row) => row.venueTimeUs === undefined),
    venueTimeOffsetsUs: rows.map((row) =>
      long(BigInt(row.venueTimeUs ?? row.receivedTimeUs) - BigInt(row.receivedTimeUs)),
    ),
    receivedTimeDeltasUs: differences(rows.map((row) => BigInt(row.receivedTimeUs))),
    books: {
      priceScale,
      sizeScale,
      snapshots: rows.map((row) => row.snapshot),
      bidCounts: rows.map((row) => row.bids.prices.length),
      askCounts: rows.map((row) => row.asks.prices.length),
      priceDeltas: differences(prices.mantissas),
      sizes: sizesOf(sizes),
      priceTexts: prices.texts,
      sizeTexts: sizes.texts,
    },
  }).finish();
}
