import { channelFromWire } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import { CHANNELS } from "#core/instrument.ts";
import type { Channel } from "#core/instrument.ts";

/** An instrument of a catalog never changes. */
const CHANNELS_OF = new WeakMap<Instrument, readonly Channel[]>();

/**
 * The channels that are streamed for an instrument, its status among them in any case, in the order
 * of CHANNELS.
 */
export function channelsOf(instrument: Instrument): readonly Channel[] {
  let channels = CHANNELS_OF.get(instrument);
  if (channels === undefined) {
    const names = instrument.channels.map(channelFromWire);
    channels = CHANNELS.filter((channel) => channel === "status" || names.includes(channel));
    CHANNELS_OF.set(instrument, channels);
  }
  return channels;
}
