// https://docs.gemini.com/websocket-api/#market-data-version-2
// https://developer.gemini.com/websocket/archived/v2.md
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { AggressorSide, Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../../feed/feed-adapter.ts";
import type { CandleCloser } from "../../../reading/candle-closer.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import { type Emit, type EventSubject, rejectOf } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../../reading/venue-time.ts";
import { decimalPairOf } from "../fields.ts";

const SIDES = { buyer: "buy", seller: "sell" };

/** What a message is about. Of books and candles the venue gives no time. */
type Subject = Omit<EventSubject, "venueTimeUs">;

export function readTrade(
  item: TextRecord,
  { instrument, receivedTimeUs }: Subject,
  { historical, scales }: { readonly historical: boolean; readonly scales: ScaleTracker },
  emit: Emit,
): Fault {
  const tradeId = asText(item["event_id"]);
  const aggressorSide = aggressorSideOf(item["side"], historical);
  if (tradeId === undefined || aggressorSide === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(item["timestamp"]);
  const { price, quantity: size } = item;
  const form = { price, size, aggressorSide, tradeId, historical };
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** In auctions and block trades nobody takes; what is old is not told apart by more than that. */
function aggressorSideOf(
  side: JsonText | undefined,
  historical: boolean,
): AggressorSide | undefined {
  const taker = takerSide<unknown>(side, SIDES);
  if (taker !== undefined) return taker;
  const nobody = historical || (typeof side === "string" && /^(?:auction|block)/.test(side));
  return nobody ? "none" : undefined;
}

/** Newest first, as rows of time, open, high, low, close and volume. */
export function readCandles(
  changes: JsonText | undefined,
  subject: Subject & { readonly intervalMs: number },
  closer: CandleCloser,
  emit: Emit,
): Fault {
  const rows = (asJsonArray(changes) ?? []).map((row) => asJsonArray(row) ?? []);
  if (rows.length === 0) return "missing-field";
  const newestTimeUs = Math.max(...rows.map(([time]) => epochTimeUs(time) ?? 0));
  for (const row of rows.toReversed()) {
    const candle = candleOf(row, subject, newestTimeUs);
    if (typeof candle === "string") rejectOf(emit, candle, subject.instrument, "candles");
    else closer.take(candle, emit);
  }
  return undefined;
}

function candleOf(
  [time, open, high, low, close, volume]: readonly JsonText[],
  { instrument, receivedTimeUs, intervalMs }: Subject & { readonly intervalMs: number },
  newestTimeUs: number,
): Candle | RejectReason {
  const openTimeUs = epochTimeUs(time);
  if (openTimeUs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  return {
    kind: "candle",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs,
    intervalMs,
    openTimeUs,
    ...values,
    quoteVolume: undefined,
    tradeCount: undefined,
    closed: openTimeUs < newestTimeUs,
  };
}

export function readMarkPrices(
  list: JsonText | undefined,
  { instrument, receivedTimeUs }: Subject,
  emit: Emit,
): Fault {
  const changes = asJsonArray(list) ?? [];
  if (changes.length === 0) return "missing-field";
  for (const entry of changes) {
    const change = asJsonObject(entry) ?? {};
    const prices = decimalPairOf(change["mark_price"], change["spot_index"]);
    const venueTimeUs = epochTimeUs(change["timestamp"]);
    const fault = prices;
    if (typeof fault === "string") rejectOf(emit, fault, instrument, "mark-price");
    else {
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      emit({ kind: "mark-price", ...subject, markPrice: fault.value, indexPrice: fault.beside });
    }
  }
  return undefined;
}
