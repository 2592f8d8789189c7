import { formatDecimal, type Mantissa } from "@tickwire/proto/model";
import type { BookRow } from "@tickwire/proto/codec";
import type { EventPosition, EventSource, TypedRow } from "#wire/event-json.ts";

/** The furthest that a Date reaches, before and after 1970. */
const CALENDAR_MS_MAX = 8_640_000_000_000_000;

/** One line about an event for people: time (the venue's, else ours), instrument, what happened. */
export function formatEventText(
  source: EventSource,
  position: EventPosition,
  event: TypedRow,
): string {
  const timeUs = event.row.venueTimeUs ?? event.row.receivedTimeUs;
  const where = `${source.venue}:${source.symbol}`;
  return `${formatTime(timeUs)} ${where} ${event.type} ${describe(event)} #${position.sequence}`;
}

/**
 * `2021-04-17T16:48:52.385815Z` for microseconds since 1970; the number itself for a time that no
 * calendar has.
 */
export function formatTime(timeUs: number): string {
  const wholeMs = Math.floor(timeUs / 1000);
  if (!(Math.abs(wholeMs) <= CALENDAR_MS_MAX)) return `${timeUs}us`;
  const restUs = timeUs - wholeMs * 1000;
  return new Date(wholeMs).toISOString().replace("Z", `${String(restUs).padStart(3, "0")}Z`);
}

function describe(event: TypedRow): string {
  switch (event.type) {
    case "trade": {
      const { row } = event;
      const size = formatDecimal(row.sizeMantissa, row.sizeScale);
      const price = formatDecimal(row.priceMantissa, row.priceScale);
      return `${row.aggressorSide} ${size} @ ${price}${row.historical ? " (historical)" : ""}`;
    }
    case "quote": {
      const { row } = event;
      const price = (mantissa: Mantissa) => formatDecimal(mantissa, row.priceScale);
      const size = (mantissa: Mantissa) => formatDecimal(mantissa, row.sizeScale);
      const bid = `${size(row.bidSizeMantissa)} @ ${price(row.bidPriceMantissa)}`;
      return `${bid} | ${size(row.askSizeMantissa)} @ ${price(row.askPriceMantissa)}`;
    }
    case "book":
      return describeBook(event.row);
    case "candle": {
      const { row } = event;
      const state = row.closed ? "closed" : "open";
      const prices = `${row.open} ${row.high} ${row.low} ${row.close}`;
      return `${row.intervalMs / 1000}s ${state} ${prices} volume ${row.volume}`;
    }
    case "ticker":
      return `last ${event.row.lastPrice ?? "-"} volume ${event.row.volume ?? "-"}`;
    case "funding":
      return `rate ${event.row.rate}`;
    case "mark-price":
      return event.row.markPrice;
    case "open-interest":
      return event.row.openInterest;
    case "liquidation":
      return `${event.row.aggressorSide} ${event.row.size} @ ${event.row.price}`;
    case "status": {
      const { channel, state, reason, instrumentState, stateWord } = event.row;
      return `${channel} ${state} (${reason})${describeState(instrumentState, stateWord)}`;
    }
    case "listing": {
      const { change, symbol, reason, instrumentState, stateWord } = event.row;
      return `${change} ${symbol} (${reason})${describeState(instrumentState, stateWord)}`;
    }
  }
}

/** ` halted, BREAK`: what the venue lets one do, and how it says so. */
function describeState(state: string | undefined, word: string | undefined): string {
  const texts = [state, word].filter((text) => text !== undefined);
  return texts.length === 0 ? "" : ` ${texts.join(", ")}`;
}

function describeBook(row: BookRow): string {
  const levels = `${row.bids.prices.length} bids ${row.asks.prices.length} asks`;
  if (!row.snapshot) return `delta ${levels}`;
  const best = (prices: readonly Mantissa[]) =>
    prices[0] === undefined ? "-" : formatDecimal(prices[0], row.priceScale);
  return `snapshot ${levels} best ${best(row.bids.prices)} | ${best(row.asks.prices)}`;
}
