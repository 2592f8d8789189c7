import type { MarketEvent } from "#core/market-event.ts";
import type { TypedRow } from "#wire/event-json.ts";

/**
 * A normalized event in the form that the printed output is made from: an event is a row of its
 * kind.
 */
export function rowOfMarketEvent(event: MarketEvent): TypedRow {
  return { type: event.kind, row: event } as TypedRow;
}
