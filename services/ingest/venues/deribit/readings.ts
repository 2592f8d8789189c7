// What the messages of Deribit say of one instrument. Numbers are JSON numbers, read as text.
// https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { decimalFieldOf, epochTimeUsAt, textAt } from "../../reading/tape-fields.ts";
import { BAD_DECIMAL, decimalText } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

const SIDES = { buyer: "buy", seller: "sell" };

/** A level is `["new"|"change"|"delete", price, amount]`. */
const LEVELS = { price: 1, size: 2 } as const;
const GROUPED_LEVELS = { price: 0, size: 1 } as const;

const CANDLE_FIELDS = ["open", "high", "low", "close", "volume", "cost"] as const;

const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

const FUNDING_INTERVAL_MS = 8 * 3_600_000;

/** A grouped book has a fixed number of levels, and is told whole each time. */
export function readBook(
  tape: JsonTape,
  data: number,
  subject: EventSubject,
  { scales, isGrouped }: { readonly scales: ScaleTracker; readonly isGrouped: boolean },
  emit: Emit,
): Fault {
  const type = isGrouped ? "snapshot" : textAt(tape, data, "type");
  const lastUpdateId = tape.number(tape.get(data, "change_id"));
  const previous = tape.get(data, "prev_change_id");
  const previousUpdateId = previous === MISSING ? undefined : tape.number(previous);
  const snapshot = type === "snapshot";
  if (!snapshot && type !== "change") return "missing-field";
  if (!Number.isSafeInteger(lastUpdateId)) return "missing-field";
  if (!snapshot && !Number.isSafeInteger(previousUpdateId)) return "missing-field";
  const sides = { bids: tape.get(data, "bids"), asks: tape.get(data, "asks") };
  if (sides.bids === MISSING || sides.asks === MISSING) return "missing-field";
  const actionsFit =
    isGrouped || (doActionsFit(tape, sides.bids) && doActionsFit(tape, sides.asks));
  if (!actionsFit) return "missing-field";
  const columns = scales.bookFromTape(tape, sides, isGrouped ? GROUPED_LEVELS : LEVELS);
  if (typeof columns === "string") return columns;
  emit(bookEvent(subject, scales, columns, { snapshot, lastUpdateId, previousUpdateId }));
  return undefined;
}

/** Both the action and an amount of 0 say that a level is gone: they must not disagree. */
function doActionsFit(tape: JsonTape, side: number): boolean {
  for (let level = tape.first(side); level !== MISSING; level = tape.next(level)) {
    const action = tape.first(level);
    const isGone = tape.mantissa(tape.at(level, LEVELS.size), 0) === 0;
    const isSet = tape.equals(action, "new") || tape.equals(action, "change");
    if (tape.equals(action, "delete") ? !isGone : isGone || !isSet) return false;
  }
  return true;
}

/** A trade, and whom it liquidated: the taker, the maker or both. */
export function readTrade(
  tape: JsonTape,
  trade: number,
  subject: EventSubject,
  { scales, historical }: { readonly scales: ScaleTracker; readonly historical: boolean },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(textAt(tape, trade, "direction"), SIDES);
  const tradeId = textAt(tape, trade, "trade_id");
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  const priceText = textAt(tape, trade, "price");
  const sizeText = textAt(tape, trade, "amount");
  const form = { price: priceText, size: sizeText, aggressorSide, tradeId, historical };
  const event = tradeEvent(subject, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  const liquidated = textAt(tape, trade, "liquidation");
  if (liquidated === undefined || historical) return undefined;
  if (!/^(M|T|MT)$/.test(liquidated)) return "missing-field";
  const [price, size] = [decimalText(priceText), decimalText(sizeText)];
  if (price === undefined || size === undefined) return "bad-decimal";
  const told = { ...subject, price, size, liquidationId: tradeId };
  if (liquidated.includes("T")) emit({ kind: "liquidation", ...told, aggressorSide });
  if (liquidated.includes("M")) {
    // The maker stood on the other side of the trade.
    const makerSide = aggressorSide === "buyer" ? "seller" : "buyer";
    emit({ kind: "liquidation", ...told, aggressorSide: makerSide });
  }
  return undefined;
}

export function readQuote(
  tape: JsonTape,
  data: number,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const event = quoteEvent(
    subject,
    scales,
    { price: textAt(tape, data, "best_bid_price"), size: textAt(tape, data, "best_bid_amount") },
    { price: textAt(tape, data, "best_ask_price"), size: textAt(tape, data, "best_ask_amount") },
  );
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** What a ticker says of its instrument, as it is written. */
export type DeribitTickerTexts = {
  readonly lastPrice: string | undefined;
  readonly highPrice: string | undefined;
  readonly lowPrice: string | undefined;
  readonly volume: string | undefined;
  readonly bidPrice: string | undefined;
  readonly bidAmount: string | undefined;
  readonly askPrice: string | undefined;
  readonly askAmount: string | undefined;
  readonly fundingRate: string | undefined;
  readonly markPrice: string | undefined;
  readonly indexPrice: string | undefined;
  readonly openInterest: string | undefined;
};

export function tickerTextsAt(tape: JsonTape, data: number): DeribitTickerTexts {
  const stats = tape.get(data, "stats");
  return {
    lastPrice: textAt(tape, data, "last_price"),
    highPrice: textAt(tape, stats, "high"),
    lowPrice: textAt(tape, stats, "low"),
    volume: textAt(tape, stats, "volume"),
    bidPrice: textAt(tape, data, "best_bid_price"),
    bidAmount: textAt(tape, data, "best_bid_amount"),
    askPrice: textAt(tape, data, "best_ask_price"),
    askAmount: textAt(tape, data, "best_ask_amount"),
    fundingRate: decimalFieldOf(tape, data, "current_funding"),
    markPrice: decimalFieldOf(tape, data, "mark_price"),
    indexPrice: decimalFieldOf(tape, data, "index_price"),
    openInterest: decimalFieldOf(tape, data, "open_interest"),
  };
}

/** One message is a ticker and, of a derivative, all that is published of its contracts. */
export function readTicker(texts: DeribitTickerTexts, subject: EventSubject, emit: Emit): Fault {
  const { instrument, venueTimeUs, receivedTimeUs } = subject;
  const { kind } = instrument;
  const { lastPrice, highPrice, lowPrice, volume } = texts;
  const bidPrice = bestPrice(texts.bidPrice, texts.bidAmount);
  const askPrice = bestPrice(texts.askPrice, texts.askAmount);
  const ticker = tickerEvent(subject, {
    lastPrice,
    highPrice,
    lowPrice,
    volume,
    bidPrice,
    askPrice,
  });
  if (typeof ticker === "string") return ticker;
  const rate = decimalOf(texts.fundingRate);
  const markPrice = decimalOf(texts.markPrice);
  const indexPrice = decimalOf(texts.indexPrice);
  const openInterest = decimalOf(texts.openInterest);
  if (rate === BAD_DECIMAL || markPrice === BAD_DECIMAL) return "bad-decimal";
  if (indexPrice === BAD_DECIMAL || openInterest === BAD_DECIMAL) return "bad-decimal";
  emit(ticker);
  if (kind === "spot") return undefined;
  if (markPrice !== undefined) {
    emit({ kind: "mark-price", instrument, venueTimeUs, receivedTimeUs, markPrice, indexPrice });
  }
  if (openInterest !== undefined) {
    emit({
      kind: "open-interest",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      openInterest,
      openInterestValue: undefined,
    });
  }
  if (rate !== undefined && kind === "perpetual") {
    const next = { nextFundingTimeUs: undefined, intervalMs: FUNDING_INTERVAL_MS };
    emit({ kind: "funding", ...subject, rate, ...next });
  }
  return undefined;
}

function decimalOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : (decimalText(text) ?? BAD_DECIMAL);
}

/** Where nobody bids or offers, price and amount are 0: the price alone may be 0 at a combo. */
function bestPrice(price: string | undefined, amount: string | undefined): string | undefined {
  if (price === undefined || hasDigit(price) || Number(price) !== 0) return price;
  return Number(amount ?? 0) === 0 ? undefined : price;
}

/** True for a plain decimal that is not zero. False says nothing. */
function hasDigit(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > ZERO && code <= NINE) return true;
    if (code !== ZERO && code !== POINT) return false;
  }
  return false;
}

/** A candle that may still change: the venue never says that one is over. */
export function candleAt(
  tape: JsonTape,
  data: number,
  subject: EventSubject & { readonly intervalMs: number },
): Candle | RejectReason {
  const openTimeUs = epochTimeUsAt(tape, tape.get(data, "tick"));
  if (!(subject.intervalMs > 0) || openTimeUs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const [open, high, low, close, volume, cost] = CANDLE_FIELDS.map((name) =>
    textAt(tape, data, name),
  );
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  const rest = { quoteVolume: decimalText(cost), tradeCount: undefined, closed: false };
  return { kind: "candle", ...subject, openTimeUs, ...values, ...rest };
}
