import type { Channel as WireChannel, Instrument } from "@tickwire/proto/service";
import { CHANNELS } from "#core/instrument.ts";
import type { Channel } from "#core/instrument.ts";

/** `mark-price` as the schema writes it: `CHANNEL_MARK_PRICE`. */
export function wireChannelOf(channel: Channel): WireChannel {
  return `CHANNEL_${channel.toUpperCase().replaceAll("-", "_")}` as WireChannel;
}

const CHANNEL_OF_WIRE: ReadonlyMap<WireChannel, Channel> = new Map(
  CHANNELS.map((channel) => [wireChannelOf(channel), channel]),
);

/** An instrument of a catalog never changes. */
const CHANNELS_OF = new WeakMap<Instrument, readonly Channel[]>();

/**
 * The channels that are streamed for an instrument, its status among them in any case, in the order
 * of CHANNELS.
 */
export function channelsOf(instrument: Instrument): readonly Channel[] {
  let channels = CHANNELS_OF.get(instrument);
  if (channels === undefined) {
    const streamed = new Set(instrument.channels.map((wire) => CHANNEL_OF_WIRE.get(wire)));
    channels = CHANNELS.filter((channel) => channel === "status" || streamed.has(channel));
    CHANNELS_OF.set(instrument, channels);
  }
  return channels;
}
