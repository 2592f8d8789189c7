import { channelFromWire, wordFromWire } from "@tickwire/proto/codec";
import type { Instrument as InstrumentMessage } from "@tickwire/proto/service";
import type { Channel, Instrument, InstrumentKind, InstrumentState } from "#core/instrument.ts";
import { isChannel } from "#core/topic.ts";

/** An instrument of a venue's list as the services know it. */
export function instrumentOf(message: InstrumentMessage): Instrument {
  const kind = wordFromWire(message.kind, "INSTRUMENT_KIND_") as InstrumentKind | undefined;
  const state = wordFromWire(message.state, "INSTRUMENT_STATE_") as InstrumentState | undefined;
  const { venue, symbol, venueSymbol, base, quote, settle, inverse } = message;
  return {
    venue,
    symbol,
    venueSymbol,
    kind: kind ?? "spot",
    base,
    quote,
    settle,
    inverse,
    sizeUnit: unitOf(message.sizeUnit),
    ...(message.venueMarket === "" ? {} : { venueMarket: message.venueMarket }),
    ...(message.contractSize === "" ? {} : { contractSize: message.contractSize }),
    ...(message.priceIncrement === "" ? {} : { priceIncrement: message.priceIncrement }),
    ...(message.sizeIncrement === "" ? {} : { sizeIncrement: message.sizeIncrement }),
    ...(message.expiryTimeUs === 0 ? {} : { expiryTimeUs: message.expiryTimeUs }),
    ...(message.strike === "" ? {} : { strike: message.strike }),
    ...(state === undefined ? {} : { state, stateWord: message.stateWord }),
  };
}

/** The channels that are streamed of it. */
export function channelsOf(message: InstrumentMessage): Channel[] {
  return message.channels.map((each) => channelFromWire(each)).filter(isChannel);
}

function unitOf(unit: InstrumentMessage["sizeUnit"]): "base" | "quote" | "contract" {
  if (unit === "SIZE_UNIT_QUOTE") return "quote";
  return unit === "SIZE_UNIT_CONTRACT" ? "contract" : "base";
}
