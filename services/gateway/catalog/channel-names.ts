import { channelFromWire } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import { CHANNELS } from "#core/instrument.ts";
import type { Channel } from "#core/instrument.ts";

/** The channels that are streamed for an instrument, its status among them in any case. */
export function channelsOf(instrument: Instrument): Channel[] {
  const names = instrument.channels.map(channelFromWire);
  return CHANNELS.filter((channel) => channel === "status" || names.includes(channel));
}
