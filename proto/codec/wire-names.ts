import { ChannelNumbers } from "../gen/messages.ts";
import type {
  AggressorSide as WireSide,
  Channel,
  TopicState as WireState,
} from "../gen/messages.ts";
import type { AggressorSide, TopicState } from "./types.ts";

const SIDE_OF_WIRE: Record<WireSide, AggressorSide> = {
  AGGRESSOR_SIDE_UNSPECIFIED: "none",
  AGGRESSOR_SIDE_BUYER: "buyer",
  AGGRESSOR_SIDE_SELLER: "seller",
  AGGRESSOR_SIDE_NONE: "none",
};

const STATE_OF_WIRE: Record<WireState, TopicState> = {
  TOPIC_STATE_UNSPECIFIED: "syncing",
  TOPIC_STATE_SYNCING: "syncing",
  TOPIC_STATE_LIVE: "live",
  TOPIC_STATE_STALE: "stale",
  TOPIC_STATE_GAP: "gap",
  TOPIC_STATE_RESYNCING: "resyncing",
  TOPIC_STATE_DOWN: "down",
};

/** `buyer` for AGGRESSOR_SIDE_BUYER, and so on; `none` for what is unspecified. */
export function sideFromWire(side: WireSide): AggressorSide {
  return SIDE_OF_WIRE[side];
}

/** AGGRESSOR_SIDE_BUYER for `buyer`, and so on. */
export function sideToWire(side: AggressorSide): WireSide {
  return `AGGRESSOR_SIDE_${side.toUpperCase() as Uppercase<AggressorSide>}`;
}

/** `live` for TOPIC_STATE_LIVE, and so on; `syncing` for what is unspecified. */
export function stateFromWire(state: WireState): TopicState {
  return STATE_OF_WIRE[state];
}

/** TOPIC_STATE_LIVE for `live`, and so on. */
export function stateToWire(state: TopicState): WireState {
  return `TOPIC_STATE_${state.toUpperCase() as Uppercase<TopicState>}`;
}

/** `mark-price` for CHANNEL_MARK_PRICE, and so on; empty for CHANNEL_UNSPECIFIED. */
export function channelFromWire(channel: Channel): string {
  return channel === "CHANNEL_UNSPECIFIED"
    ? ""
    : channel.slice("CHANNEL_".length).toLowerCase().replaceAll("_", "-");
}

/**
 * CHANNEL_MARK_PRICE for `mark-price`, and so on; CHANNEL_UNSPECIFIED for
 * anything else.
 */
export function channelToWire(channel: string): Channel {
  const name = `CHANNEL_${channel.toUpperCase().replaceAll("-", "_")}`;
  return Object.hasOwn(ChannelNumbers, name) ? (name as Channel) : "CHANNEL_UNSPECIFIED";
}
