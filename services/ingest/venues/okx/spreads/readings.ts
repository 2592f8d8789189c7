// What OKX says about a spread. Prices may be zero and below; sizes count what the list says.
// https://www.okx.com/docs-v5/en/#spread-trading-websocket-public-channel-order-book-channel
import { asJsonArray, asText, type JsonText } from "#core/json-text.ts";
import { bookEvent } from "../../../reading/book-event.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import type { LinkedNumbers } from "../../../reading/linked-numbers.ts";
import { quoteEvent, type QuoteSideTexts } from "../../../reading/quote-event.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../../reading/venue-time.ts";
import { OKX_SIDES } from "../readings.ts";

const CANDLE_INTERVAL_MS = 60_000;

/** The side is the taker's. */
export function readSpreadTrade(
  item: TextRecord,
  subject: EventSubject,
  { scales, historical }: { readonly scales: ScaleTracker; readonly historical: boolean },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide<unknown>(item["side"], OKX_SIDES);
  const tradeId = asText(item["tradeId"]);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  const { px: price, sz: size } = item;
  const form = { price, size, aggressorSide, tradeId, historical };
  const event = tradeEvent(subject, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** The best level of each side, whole each time. */
export function readSpreadQuote(
  item: TextRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const bid = bestOf(item["bids"]);
  const ask = bestOf(item["asks"]);
  if (bid === undefined || ask === undefined) return "missing-field";
  const event = quoteEvent(subject, scales, bid, ask);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** Without texts where the side is empty, undefined if it is none. */
function bestOf(side: JsonText | undefined): QuoteSideTexts | undefined {
  const levels = asJsonArray(side);
  if (levels === undefined) return undefined;
  if (levels.length === 0) return { price: undefined, size: undefined };
  const best = asJsonArray(levels[0]);
  if (best === undefined) return undefined;
  const [price = "", size = ""] = best;
  return { price, size };
}

const NUMBER = /^\d{1,20}$/;
const CHECKSUM = /^-?\d{1,10}$/;

/** The book, or a change of it, by its action. Numbers have 19 digits. */
export function readSpreadBook(
  item: TextRecord,
  subject: EventSubject,
  { scales, numbers }: { readonly scales: ScaleTracker; readonly numbers: LinkedNumbers },
  action: JsonText | undefined,
  emit: Emit,
): Fault {
  const snapshot = action === "snapshot";
  const number = asText(item["seqId"]) ?? "";
  const previous = asText(item["prevSeqId"]) ?? "";
  const checksum = asText(item["checksum"]) ?? "0";
  const bids = asJsonArray(item["bids"]);
  const asks = asJsonArray(item["asks"]);
  if (bids === undefined || asks === undefined || !NUMBER.test(number)) return "missing-field";
  if (!snapshot && (action !== "update" || !NUMBER.test(previous))) return "missing-field";
  if (!CHECKSUM.test(checksum)) return "missing-field";
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  const ids = snapshot ? { lastUpdateId: numbers.begin(number) } : numbers.follow(number, previous);
  // The venue gave up those of instruments by sending 0, which is none.
  const sent = Number(checksum) === 0 ? undefined : Number(checksum);
  emit(bookEvent(subject, scales, columns, { snapshot, ...ids, checksum: sent }));
  return undefined;
}

/** `[ts, o, h, l, c, vol, confirm]`; the message itself has no time. */
export function readSpreadCandle(
  item: JsonText,
  subject: Omit<EventSubject, "venueTimeUs">,
  emit: Emit,
): Fault {
  const [ts, open, high, low, close, volume, confirm] = asJsonArray(item) ?? [];
  const openTimeUs = epochTimeUs(ts);
  if (openTimeUs === undefined || (confirm !== "0" && confirm !== "1")) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  const times = { venueTimeUs: undefined, intervalMs: CANDLE_INTERVAL_MS, openTimeUs };
  const rest = { quoteVolume: undefined, tradeCount: undefined, closed: confirm === "1" };
  emit({ kind: "candle", ...subject, ...times, ...values, ...rest });
  return undefined;
}
