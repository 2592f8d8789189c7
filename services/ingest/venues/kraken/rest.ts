// https://docs.kraken.com/api/docs/rest-api/get-recent-trades
// https://docs.kraken.com/api/docs/rest-api/get-server-time
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import { JsonTape, MISSING } from "#core/json-tape.ts";
import type {
  FeedEndpoints,
  RejectReason,
  RestRequest,
  TradePosition,
} from "../../feed/feed-adapter.ts";
import { type Emit, type EventSubject, rejectOf } from "../../reading/emit.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { assetClassQuery } from "./instruments.ts";
import { candleHistory, renamedIntervals } from "../../reading/candle-history.ts";
import { asJsonArray, asJsonObject } from "#core/json-text.ts";

const SIDES = { buyer: "b", seller: "s" };

/** What recorded addresses were asked for, whichever version of the feed was recorded. */
export const krakenRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/public\/AssetPairs$/ },
  { kind: "trades", path: /\/0\/public\/Trades$/, symbolIn: "pair" },
]);

/** The largest page there is. */
const TRADES_MAX = 1000;

/** The latest trades of a pair, by the name that it has in either version of the feed. */
export function pairTradesRequest(instrument: Instrument, endpoints: FeedEndpoints): RestRequest {
  const pair = encodeURIComponent(instrument.venueSymbol);
  const query = `pair=${pair}&count=${TRADES_MAX}${assetClassQuery(instrument)}`;
  return { url: `${endpoints.rest}/0/public/Trades?${query}`, weight: 1 };
}

/** The venue's clock. */
export function timeRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/0/public/Time`, weight: 1 };
}

/** `{"error":[],"result":{"unixtime":1616336594,...}}`, in whole seconds. */
export function parseTime(body: string): number | undefined {
  const tape = new JsonTape();
  if (!tape.scan(body)) return undefined;
  const timeUs = epochTimeUs(tape.text(tape.get(tape.get(0, "result"), "unixtime")));
  return timeUs === undefined || isBadTime(timeUs) ? undefined : timeUs;
}

/**
 * Recent trades: rows of `[price, volume, time, "b"|"s", type, misc, trade_id]`, oldest first. A
 * damaged one costs itself only.
 */
export function readTradesAnswer(
  tape: JsonTape,
  { instrument, receivedTimeUs }: Omit<EventSubject, "venueTimeUs">,
  scales: ScaleTracker,
  emit: Emit,
): RejectReason | undefined {
  const rows = rowsOf(tape);
  if (rows === MISSING) return "unknown-message";
  for (let row = tape.first(rows); row !== MISSING; row = tape.next(row)) {
    const venueTimeUs = epochTimeUs(tape.text(tape.at(row, 2)));
    const reason = readRow(tape, row, { instrument, venueTimeUs, receivedTimeUs }, scales, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
  }
  return undefined;
}

function readRow(
  tape: JsonTape,
  row: number,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): RejectReason | undefined {
  const aggressorSide = takerSide(tape.text(tape.at(row, 3)), SIDES);
  const tradeId = tape.text(tape.at(row, 6));
  if (tradeId === undefined || aggressorSide === undefined) return "missing-field";
  const price = tape.text(tape.at(row, 0));
  const size = tape.text(tape.at(row, 1));
  const form = { price, size, aggressorSide, tradeId, historical: true };
  const event = tradeEvent(subject, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** The list is under the pair's REST name, which need not be the one that was asked for. */
function rowsOf(tape: JsonTape): number {
  const result = tape.get(0, "result");
  for (let node = tape.first(result); node !== MISSING; node = tape.next(node)) {
    if (tape.isArray(node)) return node;
  }
  return MISSING;
}

/** The book is under the pair's REST name, which need not be the one that was asked for. */
export const KRAKEN_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, { rest }) => ({
    url: `${rest}/0/public/Depth?pair=${encodeURIComponent(venueSymbol)}&count=5`,
    weight: 1,
  }),
  { at: ["result", 0], bids: "bids", asks: "asks" },
);

/** From the time of a trade on, oldest first. */
export function pairTradesPageRequest(
  instrument: Instrument,
  { venueTimeUs }: TradePosition,
  endpoints: FeedEndpoints,
): RestRequest | undefined {
  if (venueTimeUs === undefined) return undefined;
  const request = pairTradesRequest(instrument, endpoints);
  // In nanoseconds; a microsecond earlier, so that the trade itself is among them.
  return { ...request, url: `${request.url}&since=${venueTimeUs - 1}000` };
}

/**
 * The latest 720 candles, whatever is asked. The list is under the pair's REST name, beside the
 * time that a later request would begin with.
 */
export const pairCandles = candleHistory({
  intervals: renamedIntervals("1=1m 5=5m 15=15m 30=30m 60=1h 240=4h 1440=1d 10080=1w"),
  rowsMax: 720,
  isLatestOnly: true,
  request: ({ instrument, name, fromMs }, endpoints) => {
    const pair = encodeURIComponent(instrument.venueSymbol);
    // Those that begin after this second.
    const since = fromMs / 1000 - 1;
    const query = `pair=${pair}&interval=${name}&since=${since}${assetClassQuery(instrument)}`;
    return { url: `${endpoints.rest}/0/public/OHLC?${query}`, weight: 1 };
  },
  rowsOf: (body) => {
    const result = asJsonObject(asJsonObject(body)?.["result"]);
    return result === undefined ? undefined : Object.values(result).map(asJsonArray).find(Boolean);
  },
  columnsOf: () => ({
    openTime: 0,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
    volume: 6,
    tradeCount: 7,
  }),
});
