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

/** The channel that the schema writes like this; undefined for one that this version lacks. */
export function channelOfWire(channel: WireChannel): Channel | undefined {
  return CHANNEL_OF_WIRE.get(channel);
}

/** The channels that are streamed for an instrument, its status among them in any case. */
export function channelsOf(instrument: Instrument): Channel[] {
  const channels = instrument.channels.flatMap((wire) => channelOfWire(wire) ?? []);
  return channels.includes("status") ? channels : [...channels, "status"];
}
