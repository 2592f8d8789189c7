import { formatDecimal } from "@tickwire/proto/model";
import { MarketData } from "@tickwire/proto/service";
import type {
  Candle as CandleMessage,
  Channel as ChannelName,
  Instrument as InstrumentMessage,
  InstrumentStatus,
  MessageInit,
  Trade as TradeMessage,
} from "@tickwire/proto/service";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle, Status } from "#core/market-event.ts";
import type { NumberedTrade } from "./topic-record.ts";

const { getTrades, getCandles, getStatus } = MarketData.methods;

/**
 * The codecs of what a gateway asks: requests are decoded, responses encoded. They throw WireError.
 */
export const QUERY_METHODS = { getTrades, getCandles, getStatus } as const;

/** `mark-price` becomes CHANNEL_MARK_PRICE. */
export function channelName(channel: Channel): ChannelName {
  return `CHANNEL_${channel.toUpperCase().replaceAll("-", "_")}` as ChannelName;
}

/** A trade as a row of an RPC answer. */
export function tradeMessage(numbered: NumberedTrade): MessageInit<TradeMessage> {
  const { sequence, trade } = numbered;
  return {
    sequence,
    venueTimeUs: trade.venueTimeUs,
    receivedTimeUs: trade.receivedTimeUs,
    price: formatDecimal(trade.priceMantissa, trade.priceScale),
    size: formatDecimal(trade.sizeMantissa, trade.sizeScale),
    aggressorSide:
      trade.aggressorSide === "buyer"
        ? "AGGRESSOR_SIDE_BUYER"
        : trade.aggressorSide === "seller"
          ? "AGGRESSOR_SIDE_SELLER"
          : "AGGRESSOR_SIDE_NONE",
    tradeId: trade.tradeId,
    historical: trade.historical,
  };
}

/** A candle as a row of an RPC answer. */
export function candleMessage(candle: Candle): MessageInit<CandleMessage> {
  const { intervalMs, openTimeUs, open, high, low, close, volume, closed } = candle;
  const { quoteVolume = "", tradeCount = 0 } = candle;
  return {
    intervalMs,
    openTimeUs,
    open,
    high,
    low,
    close,
    volume,
    quoteVolume,
    tradeCount,
    closed,
  };
}

/** The state of one channel as a row of an RPC answer. */
export function statusMessage(status: Status): MessageInit<InstrumentStatus> {
  const { instrument, channel, state, reason, sinceTimeUs } = status;
  return {
    venue: instrument.venue,
    symbol: instrument.symbol,
    status: {
      channel: channelName(channel),
      state: `TOPIC_STATE_${state.toUpperCase() as Uppercase<typeof state>}`,
      reason,
      sinceTimeUs,
    },
  };
}

/** An instrument with the channels that are streamed for it. */
export function instrumentMessage(
  instrument: Instrument,
  channels: readonly Channel[],
): MessageInit<InstrumentMessage> {
  const { venue, symbol, venueSymbol, kind, base, quote, settle, inverse } = instrument;
  const sizeUnit = instrument.sizeUnit ?? "base";
  return {
    venue,
    symbol,
    venueSymbol,
    kind: `INSTRUMENT_KIND_${kind.toUpperCase() as Uppercase<typeof kind>}`,
    base,
    quote,
    settle,
    inverse,
    contractSize: instrument.contractSize ?? "",
    priceIncrement: instrument.priceIncrement ?? "",
    sizeIncrement: instrument.sizeIncrement ?? "",
    expiryTimeUs: instrument.expiryTimeUs ?? 0,
    strike: instrument.strike ?? "",
    optionType:
      instrument.optionType === undefined
        ? "OPTION_TYPE_UNSPECIFIED"
        : `OPTION_TYPE_${instrument.optionType.toUpperCase() as "CALL" | "PUT"}`,
    channels: channels.map(channelName),
    sizeUnit: `SIZE_UNIT_${sizeUnit.toUpperCase() as Uppercase<typeof sizeUnit>}`,
    venueMarket: instrument.venueMarket ?? "",
  };
}
