// https://developer.gemini.com/websocket/streams
import { asJsonArray, asText } from "#core/json-text.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { type Emit, type EventSubject, heartbeat } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";

export function readBook(
  message: TextRecord,
  subject: EventSubject,
  { snapshot, scales }: { readonly snapshot: boolean; readonly scales: ScaleTracker },
  emit: Emit,
): Fault {
  const firstUpdateId = wholeNumber(message["U"]);
  const lastUpdateId = wholeNumber(message["u"]);
  const bids = asJsonArray(message["b"]);
  const asks = asJsonArray(message["a"]);
  if (firstUpdateId === undefined || lastUpdateId === undefined) return "missing-field";
  if (bids === undefined || asks === undefined) return "missing-field";
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  emit(bookEvent(subject, scales, columns, { snapshot, firstUpdateId, lastUpdateId }));
  return undefined;
}

/** `m` says that the buyer was the maker. */
export function readTrade(
  { t, m: isBuyerMaker, p: price, q: size }: TextRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const tradeId = asText(t);
  if (tradeId === undefined || typeof isBuyerMaker !== "boolean") return "missing-field";
  const aggressorSide = isBuyerMaker ? "seller" : "buyer";
  const form = { price, size, aggressorSide, tradeId, historical: false } as const;
  const event = tradeEvent(subject, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

export function readQuote(
  { b, B, a, A }: TextRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  // Without prices it says only that the numbers went on.
  if ([b, B, a, A].every((text) => text === undefined)) {
    heartbeat(emit);
    return undefined;
  }
  const event = quoteEvent(subject, scales, { price: b, size: B }, { price: a, size: A });
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}
