// What OKX says about an instrument besides trades, quotes and books.
// https://www.okx.com/docs-v5/en/#public-data-websocket
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { type Emit, type EventSubject, heartbeat } from "../../reading/emit.ts";
import type { StateWords } from "../../reading/instrument-words.ts";
import { emitVenueState } from "../../reading/state-events.ts";
import { decimalText, isRecord, type JsonRecord, present } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";

export const OKX_SIDES = { buyer: "buy", seller: "sell" };

/** `[ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm]`; the message itself has no time. */
export function readOkxCandle(
  item: unknown,
  subject: EventSubject & { readonly intervalMs: number },
  emit: Emit,
): RejectReason | undefined {
  if (!Array.isArray(item)) return "missing-field";
  const [ts, ...texts] = item as readonly unknown[];
  const openTimeUs = epochTimeUs(ts);
  const confirm = texts[7];
  if (openTimeUs === undefined || (confirm !== "0" && confirm !== "1")) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const [open, high, low, close, volume, , turnover] = texts;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  const closed = confirm === "1";
  const rest = { quoteVolume: decimalText(turnover), tradeCount: undefined, closed };
  emit({ kind: "candle", ...subject, openTimeUs, ...values, ...rest });
  return undefined;
}

/**
 * Volumes are in the unit of the sizes. `volCcy24h` is in the quote asset for spot alone, in the
 * base asset for contracts.
 */
export function readOkxTicker(
  item: JsonRecord,
  subject: EventSubject,
  emit: Emit,
): RejectReason | undefined {
  const isSpot = subject.instrument.kind === "spot";
  const ticker = tickerEvent(subject, {
    lastPrice: present(item["last"]),
    lastSize: present(item["lastSz"]),
    openPrice: present(item["open24h"]),
    highPrice: present(item["high24h"]),
    lowPrice: present(item["low24h"]),
    volume: present(item["vol24h"]),
    quoteVolume: isSpot ? present(item["volCcy24h"]) : undefined,
    bidPrice: present(item["bidPx"]),
    askPrice: present(item["askPx"]),
  });
  if (typeof ticker === "string") return ticker;
  emit(ticker);
  return undefined;
}

/** `fundingTime` is the settlement to come, `nextFundingTime` the one after it. */
export function readOkxFunding(
  item: JsonRecord,
  subject: EventSubject,
  emit: Emit,
): RejectReason | undefined {
  const rate = decimalText(item["fundingRate"]);
  if (rate === undefined) return "bad-decimal";
  const nextFundingTimeUs = epochTimeUs(item["fundingTime"]);
  const followingTimeUs = epochTimeUs(item["nextFundingTime"]);
  const isKnown = nextFundingTimeUs !== undefined && followingTimeUs !== undefined;
  const distanceMs = isKnown ? (followingTimeUs - nextFundingTimeUs) / 1000 : 0;
  const intervalMs = distanceMs > 0 ? distanceMs : undefined;
  emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs });
  return undefined;
}

/** In contracts; the value is in US dollars. */
export function readOkxOpenInterest(
  item: JsonRecord,
  subject: EventSubject,
  emit: Emit,
): RejectReason | undefined {
  const openInterest = decimalText(item["oi"]);
  if (openInterest === undefined) return "bad-decimal";
  const openInterestValue = decimalText(item["oiUsd"]);
  emit({ kind: "open-interest", ...subject, openInterest, openInterestValue });
  return undefined;
}

/** `side` is the liquidation order's own: a short that is liquidated buys. */
export function readOkxLiquidation(
  item: JsonRecord,
  subject: EventSubject,
  emit: Emit,
): RejectReason | undefined {
  const details = item["details"];
  if (!Array.isArray(details)) return "missing-field";
  for (const detail of details as readonly unknown[]) {
    if (!isRecord(detail)) return "missing-field";
    if (subject.instrument.kind === "option" && detail["bkPx"] === "") {
      // Those of options say neither price nor size.
      heartbeat(emit);
      continue;
    }
    const aggressorSide = takerSide<unknown>(detail["side"], OKX_SIDES);
    if (aggressorSide === undefined) return "missing-field";
    const venueTimeUs = epochTimeUs(detail["ts"]);
    const price = decimalText(detail["bkPx"]);
    const size = decimalText(detail["sz"]);
    if (price === undefined || size === undefined) return "bad-decimal";
    const told = { ...subject, venueTimeUs, price, size, aggressorSide };
    emit({ kind: "liquidation", ...told, liquidationId: undefined });
  }
  return undefined;
}

/** What the venue says of its own work; of its rehearsals nothing is told. */
const WORK_STATES: StateWords = {
  ongoing: "maintenance",
  pre_open: "pre-open",
  completed: "trading",
  canceled: "trading",
};

/** `env` 1 is the market itself. Work that is yet to come changes nothing. */
export function readOkxStatuses(items: readonly unknown[], emit: Emit): void {
  for (const item of items) {
    const { state, env } = isRecord(item) ? item : {};
    if (state === "scheduled" || (env !== undefined && env !== "1")) heartbeat(emit);
    else emitVenueState(WORK_STATES, state, emit);
  }
}
