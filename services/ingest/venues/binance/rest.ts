import type { RejectReason, RestResponse } from "../../feed/feed-adapter.ts";
import type { Emit, InstrumentState } from "./decoder.ts";
import { decimal, isObject, isUpdateId, optionalTimeUs, parseJson, timeUs } from "./fields.ts";
import { readTradeValues } from "../../reading/event-values.ts";

/** What the venues of the family are asked for by REST, besides their instruments. */
export type BinanceRestKind = "depth" | "trades" | "open-interest";

/** What a REST address is about. */
export type BinanceRestAddress = { readonly kind: BinanceRestKind; readonly venueSymbol: string };

type Context = {
  readonly state: InstrumentState;
  readonly receivedTimeUs: number;
  readonly emit: Emit;
};

/** A book snapshot. Spot's carry no time at all. */
export function decodeDepthSnapshot(response: RestResponse, context: Context): void {
  const { state, receivedTimeUs, emit } = context;
  const { instrument, scales } = state;
  const message = parseJson(response.body);
  if (!isObject(message)) {
    const reason = message === undefined ? "bad-json" : "unknown-message";
    return emit({ kind: "rejected", reason });
  }
  const spoilt = (reason: RejectReason): void =>
    emit({ kind: "rejected", reason, instrument, channel: "book" });
  const { bids, asks, lastUpdateId } = message;
  if (!isUpdateId(lastUpdateId) || !Array.isArray(bids) || !Array.isArray(asks)) {
    return spoilt("missing-field");
  }
  const venueTimeUs = message.T === undefined ? undefined : timeUs(message.T);
  if (Number.isNaN(venueTimeUs)) return spoilt("bad-time");
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return spoilt(columns);
  emit({
    kind: "raw-book",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    snapshot: true,
    source: "rest",
    firstUpdateId: undefined,
    lastUpdateId,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: scales.priceScale,
    sizeScale: scales.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  });
}

/**
 * The latest trades, oldest first as the venue lists them. The side is told as in the stream: the
 * buyer was the maker, so the seller took. Futures do not say here that nobody took (`X` in the
 * stream), so an insurance fund's trade has a side in a list.
 */
export function decodeTradesList(response: RestResponse, context: Context): void {
  const { state, receivedTimeUs, emit } = context;
  const { instrument, scales } = state;
  const channel = "trades";
  const list = parseJson(response.body);
  if (!Array.isArray(list)) {
    const reason = list === undefined ? "bad-json" : "unknown-message";
    return emit({ kind: "rejected", reason, instrument, channel });
  }
  for (const item of list as readonly unknown[]) {
    const { id, price, qty, time, isBuyerMaker } = (isObject(item) ? item : {}) as ListedTrade;
    if (!isUpdateId(id) || typeof isBuyerMaker !== "boolean") {
      emit({ kind: "rejected", reason: "missing-field", instrument, channel });
      continue;
    }
    const venueTimeUs = timeUs(time);
    const values = readTradeValues(scales, price, qty);
    if (Number.isNaN(venueTimeUs) || typeof values === "string") {
      const reason = typeof values === "string" ? values : "bad-time";
      emit({ kind: "rejected", reason, instrument, channel });
      continue;
    }
    emit({
      kind: "trade",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      ...values,
      aggressorSide: isBuyerMaker ? "seller" : "buyer",
      tradeId: String(id),
      historical: true,
    });
  }
}

type ListedTrade = {
  readonly [field in "id" | "price" | "qty" | "time" | "isBuyerMaker"]?: unknown;
};

/** `{"symbol","openInterest","time"}`, in contracts or units of the base asset. */
export function decodeOpenInterest(response: RestResponse, context: Context): void {
  const { state, receivedTimeUs, emit } = context;
  const { instrument } = state;
  const channel = "open-interest";
  const message = parseJson(response.body);
  if (!isObject(message)) {
    const reason = message === undefined ? "bad-json" : "unknown-message";
    return emit({ kind: "rejected", reason, instrument, channel });
  }
  const { openInterest: text, time } = message as { openInterest?: unknown; time?: unknown };
  const openInterest = decimal(text);
  const venueTimeUs = optionalTimeUs(time);
  if (openInterest === undefined || Number.isNaN(venueTimeUs)) {
    const reason = openInterest === undefined ? "bad-decimal" : "bad-time";
    return emit({ kind: "rejected", reason, instrument, channel });
  }
  const openInterestValue = undefined;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "open-interest", ...common, openInterest, openInterestValue });
}
