import { channelToWire, sideToWire, stateToWire, wordToWire } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import { MarketData } from "@tickwire/proto/service";
import type {
  Instrument as InstrumentMessage,
  InstrumentState as WireInstrumentState,
  InstrumentStatus,
  MessageInit,
  Trade as TradeMessage,
} from "@tickwire/proto/service";
import type { InstrumentState } from "#core/instrument.ts";
import type { Status } from "#core/market-event.ts";
import type { StreamedInstrument } from "./streamed-instruments.ts";
import type { NumberedTrade } from "./trade-page.ts";

const { getTrades, getCandles, getStatus } = MarketData.methods;

/**
 * The codecs of what a gateway asks: requests are decoded, responses encoded. They throw WireError.
 */
export const QUERY_METHODS = { getTrades, getCandles, getStatus } as const;

/** A trade as a row of an RPC answer. */
export function tradeMessage({ sequence, trade }: NumberedTrade): MessageInit<TradeMessage> {
  return {
    ...trade,
    sequence,
    price: formatDecimal(trade.priceMantissa, trade.priceScale),
    size: formatDecimal(trade.sizeMantissa, trade.sizeScale),
    aggressorSide: sideToWire(trade.aggressorSide),
  };
}

/** The state of one channel as a row of an RPC answer. */
export function statusMessage(status: Status): MessageInit<InstrumentStatus> {
  const { venue, symbol } = status.instrument;
  const words = {
    channel: channelToWire(status.channel),
    state: stateToWire(status.state),
    instrumentState: status.instrumentState && stateOf(status.instrumentState),
  };
  return { venue, symbol, status: { ...status, ...words } };
}

function stateOf(state: InstrumentState | undefined): WireInstrumentState {
  return wordToWire(state, "INSTRUMENT_STATE_");
}

/** An instrument with what is streamed for it, and the lengths of its candles of the past. */
export function instrumentMessage(
  { instrument, channels, candleIntervalsMs }: StreamedInstrument,
  candleHistoryIntervalsMs: readonly number[] = [],
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
    channels: channels.map(channelToWire),
    sizeUnit: `SIZE_UNIT_${sizeUnit.toUpperCase() as Uppercase<typeof sizeUnit>}`,
    venueMarket: instrument.venueMarket ?? "",
    candleIntervalsMs,
    candleHistoryIntervalsMs,
    state: stateOf(instrument.state),
    stateWord: instrument.stateWord ?? "",
  };
}
