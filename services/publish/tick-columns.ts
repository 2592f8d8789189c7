import {
  PendingBooks,
  PendingQuotes,
  PendingTrades,
  rowsOfPending,
  SideCode,
} from "@tickwire/proto/codec";
import type { PendingColumns } from "@tickwire/proto/codec";
import type { Mantissa } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { QuoteAt, TickAt, TradeAt } from "#core/market-tick.ts";
import type { DeltaTick, MarketTick, QuoteTick, TradeTick } from "#core/market-tick.ts";
import type { TickLevels } from "#core/tick-levels.ts";

const SIDE_CODES = {
  none: SideCode.None,
  buyer: SideCode.Buyer,
  seller: SideCode.Seller,
} as const;

const KIND_OF_ROWS = { trades: "trade", quotes: "quote", books: "book" } as const;

/** Empty columns for the ticks of a topic that this one is of. */
export function columnsFor({ kind }: MarketTick): PendingColumns {
  switch (kind) {
    case "quote":
      return new PendingQuotes();
    case "trade":
      return new PendingTrades();
    case "book":
      return new PendingBooks();
  }
}

/**
 * Adds a tick to the columns of its topic. False if they hold ticks of other scales, or cannot hold
 * its numbers: nothing was added then.
 */
export function addTick(columns: PendingColumns, tick: MarketTick): boolean {
  const { priceScale, sizeScale } = tick;
  if (columns.count === 0) {
    columns.priceScale = priceScale;
    columns.sizeScale = sizeScale;
  } else if (columns.priceScale !== priceScale || columns.sizeScale !== sizeScale) {
    return false;
  }
  columns.reserve();
  switch (tick.kind) {
    case "quote":
      addQuote(columns as PendingQuotes, tick);
      return true;
    case "trade":
      addTrade(columns as PendingTrades, tick);
      return true;
    case "book":
      return addDelta(columns as PendingBooks, tick);
  }
}

function addDelta(columns: PendingBooks, { change, truncated }: DeltaTick): boolean {
  const { bids, asks, numbers } = change;
  const cutMax = truncated.bids.length + truncated.asks.length;
  const index = columns.count;
  const start = columns.levelCount;
  columns.reserveLevels(bids.count + asks.count + cutMax);
  const middle = addSide(columns, start, bids, truncated.bids);
  const end = middle < 0 ? middle : addSide(columns, middle, asks, truncated.asks);
  if (end < 0) return false;
  columns.receivedTimesUs[index] = numbers[TickAt.Received]!;
  columns.venueTimesUs[index] = numbers[TickAt.Venue]!;
  columns.bidCounts[index] = middle - start;
  columns.askCounts[index] = end - middle;
  columns.levelCount = end;
  columns.count = index + 1;
  return true;
}

/** Behind the levels of a side and the removals of those that were cut; -1 if one has no room. */
function addSide(
  { prices, sizes }: PendingBooks,
  start: number,
  side: TickLevels,
  cut: readonly Mantissa[],
): number {
  const { count } = side;
  for (let index = 0; index < count; index += 1) {
    prices[start + index] = side.prices[index]!;
    sizes[start + index] = side.sizes[index]!;
  }
  let end = start + count;
  for (let index = 0; index < cut.length; index += 1) {
    const price = cut[index]!;
    if (typeof price !== "number") return -1;
    // The level may have come with this very change; then it never existed for the consumer.
    let place = end - 1;
    while (place >= start && prices[place] !== price) place -= 1;
    if (place < start) {
      place = end;
      end += 1;
    }
    prices[place] = price;
    sizes[place] = 0;
  }
  return end;
}

function addQuote(columns: PendingQuotes, { numbers }: QuoteTick): void {
  const index = columns.count;
  columns.receivedTimesUs[index] = numbers[TickAt.Received]!;
  columns.venueTimesUs[index] = numbers[TickAt.Venue]!;
  columns.bidPrices[index] = numbers[QuoteAt.Bid]!;
  columns.bidSizes[index] = numbers[QuoteAt.BidSize]!;
  columns.askPrices[index] = numbers[QuoteAt.Ask]!;
  columns.askSizes[index] = numbers[QuoteAt.AskSize]!;
  columns.count = index + 1;
}

function addTrade(columns: PendingTrades, { numbers, side, idText }: TradeTick): void {
  const index = columns.count;
  const id = numbers[TradeAt.Id]!;
  columns.receivedTimesUs[index] = numbers[TickAt.Received]!;
  columns.venueTimesUs[index] = numbers[TickAt.Venue]!;
  columns.prices[index] = numbers[TradeAt.Price]!;
  columns.sizes[index] = numbers[TradeAt.Size]!;
  columns.sides[index] = SIDE_CODES[side];
  columns.ids[index] = id;
  if (Number.isNaN(id)) columns.idTexts[index] = idText;
  columns.count = index + 1;
}

/** The events that the ticks of a topic stand for, in order. */
export function eventsOfColumns(
  columns: PendingColumns,
  instrument: Instrument,
): readonly MarketEvent[] {
  const { kind, rows } = rowsOfPending(columns);
  const eventKind = KIND_OF_ROWS[kind as keyof typeof KIND_OF_ROWS];
  return rows.map((row) => ({ kind: eventKind, instrument, ...row }) as MarketEvent);
}
