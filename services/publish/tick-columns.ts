import { PendingQuotes, PendingTrades, rowsOfPending, SideCode } from "@tickwire/proto/codec";
import type { PendingColumns } from "@tickwire/proto/codec";
import type { Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { QuoteAt, TickAt, TradeAt } from "#core/market-tick.ts";
import type { MarketTick, QuoteTick, TradeTick } from "#core/market-tick.ts";

const SIDE_CODES = {
  none: SideCode.None,
  buyer: SideCode.Buyer,
  seller: SideCode.Seller,
} as const;

const KIND_OF_ROWS = { trades: "trade", quotes: "quote", books: "book" } as const;

/** Empty columns for the ticks of a topic that this one is of. */
export function columnsFor(tick: MarketTick): PendingColumns {
  return tick.kind === "quote" ? new PendingQuotes() : new PendingTrades();
}

/**
 * Adds a tick to the columns of its topic. False if they hold ticks of other scales: nothing was
 * added then.
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
  if (tick.kind === "quote") addQuote(columns as PendingQuotes, tick);
  else addTrade(columns as PendingTrades, tick);
  return true;
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
