import type { BookEvent, MarketEvent } from "@tickwire/client";
import { EVENT_KINDS } from "@tickwire/proto/model";
import type { TypedRow } from "#wire/event-json.ts";

/** What the client received, in the form that the printed output is made from. */
export function rowOfClientEvent(event: MarketEvent): TypedRow {
  return { type: event.type, row: rowOf(event) } as unknown as TypedRow;
}

function rowOf(event: MarketEvent): object {
  if (event.type === "trade") return { ...event, tradeId: event.tradeId ?? "" };
  if (event.type === "quote") return event;
  if (event.type === "book") {
    return { ...event, bids: columnsOf(event.bids), asks: columnsOf(event.asks) };
  }
  return { ...event, ...exactTexts(event) };
}

/** The decimals of an event, which are texts in a row. */
function exactTexts(event: MarketEvent): Record<string, unknown> {
  const values = event as object as Readonly<Record<string, unknown>>;
  const { fields } = EVENT_KINDS.find(({ type }) => type === event.type) ?? { fields: [] };
  return Object.fromEntries(
    fields.filter(({ letter }) => letter === "d").map(({ name }) => [name, values[`${name}Text`]]),
  );
}

function columnsOf(levels: BookEvent["bids"]) {
  return {
    prices: levels.map(({ priceMantissa }) => priceMantissa),
    sizes: levels.map(({ sizeMantissa }) => sizeMantissa),
  };
}
