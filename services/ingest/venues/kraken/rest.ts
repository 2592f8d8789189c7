// https://docs.kraken.com/api/docs/rest-api/get-recent-trades
// https://docs.kraken.com/api/docs/rest-api/get-server-time
import type { Instrument } from "#core/instrument.ts";
import { JsonTape, MISSING } from "#core/json-tape.ts";
import type {
  FeedEndpoints,
  FeedEvent,
  RestRequest,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { readTradeValues } from "../../reading/event-values.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime, parseSecondsTimeUs } from "../../reading/venue-time.ts";

/** The largest page there is. */
const TRADES_MAX = 1000;

/**
 * The latest trades of a pair. Uncertain: that REST takes the pair as v2 names it. Where it does
 * not, it answers with an error, and the gap is said instead of filled.
 */
export function pairTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const pair = encodeURIComponent(venueSymbol);
  return {
    url: `${endpoints.rest}/0/public/Trades?pair=${pair}&count=${TRADES_MAX}`,
    weight: 1,
  };
}

/** The pair whose trades an address is about. */
export function pairOfTradesUrl(url: string): string | undefined {
  const query = /\/0\/public\/Trades\?(.*)$/.exec(url)?.[1];
  return query === undefined ? undefined : (new URLSearchParams(query).get("pair") ?? undefined);
}

/** The venue's clock. */
export function timeRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/0/public/Time`, weight: 1 };
}

/** `{"error":[],"result":{"unixtime":1616336594,...}}`, in whole seconds. */
export function parseTime(body: string): number | undefined {
  const tape = new JsonTape();
  if (!tape.scan(body)) return undefined;
  const timeUs = parseSecondsTimeUs(tape.text(tape.get(tape.get(0, "result"), "unixtime")));
  return timeUs === undefined || isBadTime(timeUs) ? undefined : timeUs;
}

/** Rows of `[price, volume, time, "b"|"s", type, misc, trade_id]`, oldest first. */
export function decodePairTrades(
  response: RestResponse,
  context: {
    readonly instrument: Instrument;
    readonly tracker: ScaleTracker;
    readonly receivedTimeUs: number;
    readonly emit: (event: FeedEvent) => void;
  },
): void {
  const { instrument, tracker, receivedTimeUs, emit } = context;
  const channel = "trades";
  const tape = new JsonTape();
  if (!tape.scan(response.body)) {
    emit({ kind: "rejected", reason: "bad-json", instrument, channel });
    return;
  }
  const rows = rowsOf(tape);
  if (rows === MISSING) emit({ kind: "rejected", reason: "unknown-message", instrument, channel });
  for (let row = tape.first(rows); row !== MISSING; row = tape.next(row)) {
    const [price, size, time, side, , , tradeId] = [0, 1, 2, 3, 4, 5, 6].map((index) =>
      tape.text(tape.at(row, index)),
    );
    const venueTimeUs = parseSecondsTimeUs(time);
    const values = readTradeValues(tracker, price, size);
    if (tradeId === undefined || (side !== "b" && side !== "s")) {
      emit({ kind: "rejected", reason: "missing-field", instrument, channel });
    } else if (isBadTime(venueTimeUs) || typeof values === "string") {
      const reason = typeof values === "string" ? values : "bad-time";
      emit({ kind: "rejected", reason, instrument, channel });
    } else {
      const aggressorSide = side === "b" ? "buyer" : "seller";
      const common = { instrument, venueTimeUs, receivedTimeUs, aggressorSide } as const;
      emit({ kind: "trade", ...common, ...values, tradeId, historical: true });
    }
  }
}

/** The list is under the pair's REST name, which need not be the one that was asked for. */
function rowsOf(tape: JsonTape): number {
  const result = tape.get(0, "result");
  for (let node = tape.first(result); node !== MISSING; node = tape.next(node)) {
    if (tape.isArray(node)) return node;
  }
  return MISSING;
}
