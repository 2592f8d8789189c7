// What the messages hold, one function a channel.
import { asJsonArray, asText } from "#core/json-text.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../../feed/feed-adapter.ts";
import { bookEvent } from "../../../reading/book-event.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import type { Emit } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { quoteEvent } from "../../../reading/quote-event.ts";
import { decimalText } from "../../../reading/text-fields.ts";
import { tickerEvent } from "../../../reading/ticker-event.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../../reading/venue-time.ts";
import { wholeNumber } from "../../../reading/whole-numbers.ts";
import type { KucoinSubject } from "../readings.ts";

const SIDES = { buyer: "buy", seller: "sell" };

const CANDLE_INTERVAL_MS = 60_000;

/** Levels of each side that the venue tells of. */
const BOOK_LEVELS = 500;

/** The whole book, or a change from the number `O` to the number `C`. */
export function readUtaBook(
  data: TextRecord,
  snapshot: boolean,
  { instrument, scales, receivedTimeUs }: KucoinSubject,
  emit: Emit,
): Fault {
  const firstUpdateId = wholeNumber(data["O"]);
  const lastUpdateId = wholeNumber(data["C"]);
  const bids = asJsonArray(data["b"]);
  const asks = asJsonArray(data["a"]);
  if (firstUpdateId === undefined || lastUpdateId === undefined) return "missing-field";
  if (bids === undefined || asks === undefined) return "missing-field";
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  const subject = { instrument, venueTimeUs: epochTimeUs(data["M"]), receivedTimeUs };
  const numbers = snapshot ? { lastUpdateId } : { firstUpdateId, lastUpdateId };
  emit(bookEvent(subject, scales, columns, { snapshot, ...numbers, depth: BOOK_LEVELS }));
  return undefined;
}

/** The side is the taker's, as in the classic feed. */
export function readUtaTrade(
  data: TextRecord,
  { instrument, scales, receivedTimeUs }: KucoinSubject,
  emit: Emit,
): Fault {
  const aggressorSide = takerSide<unknown>(data["S"], SIDES);
  const tradeId = asText(data["ti"]);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  const subject = { instrument, venueTimeUs: epochTimeUs(data["M"]), receivedTimeUs };
  const { p: price, q: size } = data;
  const event = tradeEvent(subject, scales, {
    price,
    size,
    aggressorSide,
    tradeId,
    historical: false,
  });
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** The best prices with their sizes, and the last trade. */
export function readUtaTicker(
  { a, A, b, B, l, q, M }: TextRecord,
  { instrument, scales, receivedTimeUs }: KucoinSubject,
  emit: Emit,
): Fault {
  if ([a, A, b, B].some((text) => text === undefined)) return "missing-field";
  const subject = { instrument, venueTimeUs: epochTimeUs(M), receivedTimeUs };
  const quote = quoteEvent(subject, scales, { price: b, size: B }, { price: a, size: A });
  if (typeof quote === "string") return quote;
  const values = tickerEvent(subject, { lastPrice: l, lastSize: q, bidPrice: b, askPrice: a });
  if (typeof values === "string") return values;
  emit(quote);
  emit(values);
  return undefined;
}

/** Times in seconds; `a` is the turnover. */
export function readUtaCandle(
  data: TextRecord,
  venueTimeUs: number | undefined,
  { instrument, receivedTimeUs }: KucoinSubject,
): Candle | RejectReason {
  const openTimeUs = epochTimeUs(data["O"]);
  if (data["i"] !== "1min") return "unknown-message";
  if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
  const { o: open, h: high, l: low, c: close, v: volume } = data;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  return {
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume: decimalText(data["a"]),
    tradeCount: undefined,
    // One whose end is not after the venue's own clock is over.
    closed: (venueTimeUs ?? 0) >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
  };
}
