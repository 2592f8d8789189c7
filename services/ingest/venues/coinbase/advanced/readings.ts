// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
import { readCandleValues } from "../../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { TradeOrder } from "../../../reading/oldest-first.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { isRecord, type JsonRecord, present, textOf } from "../../../reading/text-fields.ts";
import { epochTimeUs, isBadTime, parseIsoTimeUs } from "../../../reading/venue-time.ts";
import { readBestPrices, tradeOf } from "../readings.ts";

export const CANDLE_INTERVAL_MS = 300_000;

/** The side is taken to be the maker's, as on Coinbase Exchange: the taker stood on the other. */
const SIDES = { buyer: "SELL", seller: "BUY" };

export function readTrade(
  item: JsonRecord,
  subject: Omit<EventSubject, "venueTimeUs">,
  { historical, scales }: { readonly historical: boolean; readonly scales: ScaleTracker },
  emit: Emit,
): Fault {
  const trade = tradeOf(
    item,
    { ...subject, venueTimeUs: parseIsoTimeUs(item["time"]) },
    { tradeId: textOf(item["trade_id"]), historical, sides: SIDES, scales },
  );
  if (typeof trade === "string") return trade;
  emit(trade);
  return undefined;
}

export function readTicker(
  item: JsonRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const bid = { price: present(item["best_bid"]), size: present(item["best_bid_quantity"]) };
  const ask = { price: present(item["best_ask"]), size: present(item["best_ask_quantity"]) };
  const texts = {
    lastPrice: present(item["price"]),
    highPrice: present(item["high_24_h"]),
    lowPrice: present(item["low_24_h"]),
    volume: present(item["volume_24_h"]),
  };
  // The batched ticker has no best prices, and so gives no quote.
  const isQuote = bid.size !== undefined || ask.size !== undefined;
  return readBestPrices(texts, { bid, ask, isQuote }, subject, scales, emit);
}

export function readCandle(item: JsonRecord, subject: EventSubject, emit: Emit): Fault {
  const { venueTimeUs } = subject;
  const openTimeUs = epochTimeUs(item["start"]);
  if (openTimeUs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const { open, high, low, close, volume } = item;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  emit({
    kind: "candle",
    ...subject,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume: undefined,
    tradeCount: undefined,
    // The venue never says so, but what ended before the message was made is over.
    closed: venueTimeUs !== undefined && venueTimeUs >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
  });
  return undefined;
}

/** Numbers are of a product and say nothing of those of another. */
export function orderOfTrade(trade: unknown): TradeOrder {
  const { trade_id: id, product_id: series, time } = isRecord(trade) ? trade : {};
  return { id: textOf(id), series, time: parseIsoTimeUs(time) };
}
