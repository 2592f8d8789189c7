import { channelFromWire, sideFromWire, stateFromWire, wordFromWire } from "@tickwire/proto/codec";
import {
  EVENT_KINDS,
  canonicalDecimal,
  formatDecimal,
  parseMantissa,
  textScale,
  toNumber,
  type Channel,
  type EventKind,
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
  const price = checkedDecimal(level.price);
  const size = checkedDecimal(level.size);
  const priceScale = textScale(price);
  const sizeScale = textScale(size);
  return bookLevel(
    parseMantissa(price, priceScale),
    priceScale,
    parseMantissa(size, sizeScale),
    sizeScale,
  );
}

export function quoteValues(quote: WireQuote): QuoteValues {
  const { sequence, venueTimeUs, receivedTimeUs } = quote;
  const priceTexts = [quote.bidPrice, quote.askPrice].map(checkedDecimal);
  const sizeTexts = [quote.bidSize, quote.askSize].map(checkedDecimal);
  const priceScale = Math.max(...priceTexts.map(textScale));
  const sizeScale = Math.max(...sizeTexts.map(textScale));
  const [bidPrice = 0, askPrice = 0] = priceTexts.map((text) => parseMantissa(text, priceScale));
  const [bidSize = 0, askSize = 0] = sizeTexts.map((text) => parseMantissa(text, sizeScale));
  return {
    sequence,
    venueTimeUs,
    receivedTimeUs,
    priceScale,
    sizeScale,
    bidPrice: toNumber(bidPrice, priceScale),
    bidPriceText: formatDecimal(bidPrice, priceScale),
    bidPriceMantissa: bidPrice,
    bidSize: toNumber(bidSize, sizeScale),
    bidSizeText: formatDecimal(bidSize, sizeScale),
    bidSizeMantissa: bidSize,
    askPrice: toNumber(askPrice, priceScale),
    askPriceText: formatDecimal(askPrice, priceScale),
    askPriceMantissa: askPrice,
    askSize: toNumber(askSize, sizeScale),
    askSizeText: formatDecimal(askSize, sizeScale),
    askSizeMantissa: askSize,
  };
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
    state: wordFromWire(instrument.state, "INSTRUMENT_STATE_"),
    stateWord: textOrNone(instrument.stateWord),
  };
}

type Decimal<Name extends string> = { readonly [Key in Name]: number | undefined } & {
  readonly [Key in `${Name}Text`]: string | undefined;
};

function decimalValues<Name extends string>(name: Name, wire: string): Decimal<Name> {
  const text = textOrNone(wire);
  return { [name]: numberOfOptionalText(text), [`${name}Text`]: text } as Decimal<Name>;
}

/** `spot` for INSTRUMENT_KIND_SPOT, and so on; undefined for what is unspecified. */
function wordOf<Name extends "kind" | "sizeUnit" | "optionType">(
  wire: string,
  prefix: string,
): Instrument[Name] {
  const word = wire.slice(prefix.length).toLowerCase();
  return word === "unspecified" ? undefined : (word as Instrument[Name]);
}

/** The text without needless zeros. Throws RangeError if it is no plain decimal. */
function checkedDecimal(text: string): string {
  const canonical = canonicalDecimal(text);
  if (canonical === undefined) throw new RangeError(`"${text}" is no plain decimal`);
  return canonical;
}

/** Undefined for an empty text. */
export function textOrNone(text: string): string | undefined {
  return text === "" ? undefined : text;
}
