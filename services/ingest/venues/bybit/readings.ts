// https://bybit-exchange.github.io/docs/v5/websocket/public/kline
// https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { EventCommon } from "./fields.ts";
import {
  decimalText,
  isRecord,
  type JsonRecord,
  millisecondsTimeUs,
} from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

const MINUTE_MS = 60_000;

/** Candle intervals of fixed length: minutes, or a letter. */
const INTERVALS_MS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    [1, 3, 5, 15, 30, 60, 120, 240, 360, 720].map((minutes) => [
      String(minutes),
      minutes * MINUTE_MS,
    ]),
  ),
  D: 1440 * MINUTE_MS,
  W: 7 * 1440 * MINUTE_MS,
};

/** Candles, up to the first that is damaged. */
export function readBybitCandles(
  data: unknown,
  common: EventCommon,
  emit: Emit,
): RejectReason | undefined {
  return readEach(data, (item) => candle(item, common, emit));
}

/** Liquidations, up to the first that is damaged. */
export function readBybitLiquidations(
  data: unknown,
  common: EventCommon,
  emit: Emit,
): RejectReason | undefined {
  // What was sent until 2025 is one by itself, and has longer names.
  if (isRecord(data)) {
    const { side: S, updatedTime: T, price: p, size: v } = data;
    return liquidation({ S, T, p, v }, common, emit);
  }
  return readEach(data, (item) => liquidation(item, common, emit));
}

/** Reads items until one is damaged. */
function readEach(
  data: unknown,
  read: (item: JsonRecord) => RejectReason | undefined,
): RejectReason | undefined {
  if (!Array.isArray(data)) return "missing-field";
  for (const item of data as readonly unknown[]) {
    const reason = isRecord(item) ? read(item) : "missing-field";
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function candle(item: JsonRecord, common: EventCommon, emit: Emit): RejectReason | undefined {
  const { start, interval, confirm, timestamp } = item;
  const openTimeUs = millisecondsTimeUs(start);
  if (interval === "M") {
    // A calendar month has no fixed length.
    emit({ kind: "heartbeat" });
    return undefined;
  }
  const intervalMs = typeof interval === "string" ? INTERVALS_MS[interval] : undefined;
  if (openTimeUs === undefined || intervalMs === undefined || typeof confirm !== "boolean") {
    return "missing-field";
  }
  const venueTimeUs = millisecondsTimeUs(timestamp) ?? common.venueTimeUs;
  if (isBadTime(openTimeUs) || isBadTime(venueTimeUs)) return "bad-time";
  const { open, high, low, close, volume } = item;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = common;
  const quoteVolume = instrument.inverse ? undefined : decimalText(item["turnover"]);
  emit({
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs,
    openTimeUs,
    ...values,
    quoteVolume,
    tradeCount: undefined,
    closed: confirm,
  });
  return undefined;
}

/** `S` is the side of the position: of one that was bought, the liquidation sells. */
function liquidation(item: JsonRecord, common: EventCommon, emit: Emit): RejectReason | undefined {
  const { S: side, T: time, p, v } = item;
  if (side !== "Buy" && side !== "Sell") return "missing-field";
  const venueTimeUs = millisecondsTimeUs(time);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const price = decimalText(p);
  const size = decimalText(v);
  if (price === undefined || size === undefined) return "bad-decimal";
  const { instrument, receivedTimeUs } = common;
  emit({
    kind: "liquidation",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    price,
    size,
    aggressorSide: side === "Buy" ? "seller" : "buyer",
    liquidationId: undefined,
  });
  return undefined;
}
