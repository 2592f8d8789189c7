import { channelFromWire, sideFromWire, stateFromWire, wordFromWire } from "@tickwire/proto/codec";
import {
  EVENT_KINDS,
  formatDecimal,
  rescaleMantissa,
  toNumber,
  type Channel,
  type EventKind,
  type Mantissa,
} from "@tickwire/proto/model";
import type {
  Book as WireBook,
  BookLevel as WireLevel,
  Candle as WireCandle,
  Instrument as WireInstrument,
  InstrumentStatus as WireStatus,
  Quote as WireQuote,
  Ticker as WireTicker,
  Trade as WireTrade,
} from "@tickwire/proto/service";
import type {
  BookValues,
  CandleValues,
  LevelValues,
  QuoteValues,
  StatusValues,
  TickerValues,
  TradeValues,
} from "../events/event-values.ts";
import { numberOfOptionalText } from "../events/decimal-numbers.ts";
import { bookLevel, fieldsOf } from "../events/event-fields.ts";
import { exactDecimal } from "../events/exact-decimal.ts";
import type { Instrument } from "./instrument.ts";

// Answers in the words of the streams: exact texts, mantissas and doubles under the same names, our
// words for what the schema counts, and undefined for what the venue does not say.

export function tradeValues(trade: WireTrade): TradeValues {
  const { sequence, venueTimeUs, receivedTimeUs, historical } = trade;
  return {
    sequence,
    venueTimeUs,
    receivedTimeUs,
    ...levelValues(trade),
    aggressorSide: sideFromWire(trade.aggressorSide),
    tradeId: textOrNone(trade.tradeId),
    historical,
  };
}

function levelValues(level: WireLevel): LevelValues {
  const price = decimalOf(level.price);
  const size = decimalOf(level.size);
  return bookLevel(price.mantissa, price.scale, size.mantissa, size.scale);
}

export function quoteValues(quote: WireQuote): QuoteValues {
  const { sequence, venueTimeUs, receivedTimeUs, bidPrice, bidSize, askPrice, askSize } = quote;
  const prices = { bidPrice: decimalOf(bidPrice), askPrice: decimalOf(askPrice) };
  const sizes = { bidSize: decimalOf(bidSize), askSize: decimalOf(askSize) };
  const priceScale = Math.max(prices.bidPrice.scale, prices.askPrice.scale);
  const sizeScale = Math.max(sizes.bidSize.scale, sizes.askSize.scale);
  return {
    sequence,
    venueTimeUs,
    receivedTimeUs,
    priceScale,
    sizeScale,
    ...decimalFields("bidPrice", prices.bidPrice, priceScale),
    ...decimalFields("bidSize", sizes.bidSize, sizeScale),
    ...decimalFields("askPrice", prices.askPrice, priceScale),
    ...decimalFields("askSize", sizes.askSize, sizeScale),
  };
}

type DecimalFields<Name extends string> = { readonly [Key in Name]: number } & {
  readonly [Key in `${Name}Text`]: string;
} & { readonly [Key in `${Name}Mantissa`]: Mantissa };

/** A number in each of its forms, its mantissa at a scale that is not below its own. */
function decimalFields<Name extends string>(
  name: Name,
  { mantissa, scale }: ReturnType<typeof decimalOf>,
  atScale: number,
): DecimalFields<Name> {
  const scaled = rescaleMantissa(mantissa, scale, atScale);
  return {
    [name]: toNumber(scaled, atScale),
    [`${name}Text`]: formatDecimal(scaled, atScale),
    [`${name}Mantissa`]: scaled,
  } as DecimalFields<Name>;
}

export function bookValues(book: WireBook): BookValues {
  const { sequence, venueTimeUs, receivedTimeUs, bids, asks } = book;
  const levels = { bids: bids.map(levelValues), asks: asks.map(levelValues) };
  return { sequence, venueTimeUs, receivedTimeUs, ...levels };
}

export function tickerValues(ticker: WireTicker): TickerValues {
  return fieldsOf(TICKER_KIND, ticker) as TickerValues;
}

export function candleValues(candle: WireCandle): CandleValues {
  return fieldsOf(CANDLE_KIND, candle) as CandleValues;
}

const TICKER_KIND = /* @__PURE__ */ kindOf("tickers");
const CANDLE_KIND = /* @__PURE__ */ kindOf("candles");

function kindOf(rows: EventKind["rows"]): EventKind {
  return EVENT_KINDS.find((kind) => kind.rows === rows)!;
}

/** Undefined for a status that says nothing. */
export function statusValues({ venue, symbol, status }: WireStatus): StatusValues | undefined {
  if (status === undefined) return undefined;
  const { reason, sinceTimeUs } = status;
  const channel = channelFromWire(status.channel) as Channel;
  return {
    venue,
    symbol,
    channel,
    state: stateFromWire(status.state),
    reason,
    sinceTimeUs,
    instrumentState: wordFromWire(status.instrumentState, "INSTRUMENT_STATE_"),
    stateWord: status.stateWord,
  };
}

export function instrumentValues(instrument: WireInstrument): Instrument {
  const { venue, symbol, venueSymbol, base, quote, settle, inverse, expiryTimeUs } = instrument;
  return {
    venue,
    symbol,
    venueSymbol,
    venueMarket: textOrNone(instrument.venueMarket),
    kind: wordOf<"kind">(instrument.kind, "INSTRUMENT_KIND_"),
    base,
    quote,
    settle: textOrNone(settle),
    inverse,
    sizeUnit: wordOf<"sizeUnit">(instrument.sizeUnit, "SIZE_UNIT_"),
    ...decimalValues("contractSize", instrument.contractSize),
    ...decimalValues("priceIncrement", instrument.priceIncrement),
    ...decimalValues("sizeIncrement", instrument.sizeIncrement),
    expiryTimeUs: expiryTimeUs === 0 ? undefined : expiryTimeUs,
    ...decimalValues("strike", instrument.strike),
    optionType: wordOf<"optionType">(instrument.optionType, "OPTION_TYPE_"),
    channels: instrument.channels.map(channelFromWire).filter(Boolean) as Channel[],
    candleIntervalsMs: instrument.candleIntervalsMs,
    candleHistoryIntervalsMs: instrument.candleHistoryIntervalsMs,
    state: wordFromWire(instrument.state, "INSTRUMENT_STATE_"),
    stateWord: textOrNone(instrument.stateWord),
  };
}

type OptionalDecimal<Name extends string> = { readonly [Key in Name]: number | undefined } & {
  readonly [Key in `${Name}Text`]: string | undefined;
};

function decimalValues<Name extends string>(name: Name, wire: string): OptionalDecimal<Name> {
  const text = textOrNone(wire);
  return { [name]: numberOfOptionalText(text), [`${name}Text`]: text } as OptionalDecimal<Name>;
}

/** `spot` for INSTRUMENT_KIND_SPOT, and so on; undefined for what is unspecified. */
function wordOf<Name extends "kind" | "sizeUnit" | "optionType">(
  wire: string,
  prefix: string,
): Instrument[Name] {
  const word = wire.slice(prefix.length).toLowerCase();
  return word === "unspecified" ? undefined : (word as Instrument[Name]);
}

/** Throws RangeError if the text is no plain decimal. */
function decimalOf(text: string): NonNullable<ReturnType<typeof exactDecimal>> {
  const decimal = exactDecimal(text);
  if (decimal === undefined) throw new RangeError(`"${text}" is no plain decimal`);
  return decimal;
}

/** Undefined for an empty text. */
export function textOrNone(text: string): string | undefined {
  return text === "" ? undefined : text;
}
