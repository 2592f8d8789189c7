import { ChannelNumbers } from "../gen/messages.ts";
import type {
  AggressorSide as WireSide,
  Channel,
  TopicState as WireState,
} from "../gen/messages.ts";
import type { AggressorSide, TopicState } from "./types.ts";

/** The word of a name behind the prefix of its enum; `unspecified` for the value 0. */
function wordOf(name: string, prefix: string): string {
  return name.slice(prefix.length).toLowerCase().replaceAll("_", "-");
}

/** `pre-open` for INSTRUMENT_STATE_PRE_OPEN, and so on; undefined for unspecified or absent. */
export function wordFromWire<Word extends string>(
  name: string | undefined,
  prefix: string,
): Word | undefined {
  const word = wordOf(name ?? "", prefix);
  return word === "" || word === "unspecified" ? undefined : (word as Word);
}

/** INSTRUMENT_STATE_PRE_OPEN for `pre-open`, and so on; the unspecified value for undefined. */
export function wordToWire<Name extends string>(word: string | undefined, prefix: string): Name {
  return `${prefix}${(word ?? "unspecified").toUpperCase().replaceAll("-", "_")}` as Name;
}

/** `buyer` for AGGRESSOR_SIDE_BUYER, and so on; `none` for what is unspecified. */
export function sideFromWire(side: WireSide): AggressorSide {
  const word = wordOf(side, "AGGRESSOR_SIDE_");
  return word === "unspecified" ? "none" : (word as AggressorSide);
}

/** AGGRESSOR_SIDE_BUYER for `buyer`, and so on. */
export function sideToWire(side: AggressorSide): WireSide {
  return `AGGRESSOR_SIDE_${side.toUpperCase() as Uppercase<AggressorSide>}`;
}

/** `live` for TOPIC_STATE_LIVE, and so on; `syncing` for what is unspecified. */
export function stateFromWire(state: WireState): TopicState {
  const word = wordOf(state, "TOPIC_STATE_");
  return word === "unspecified" ? "syncing" : (word as TopicState);
}

/** TOPIC_STATE_LIVE for `live`, and so on. */
export function stateToWire(state: TopicState): WireState {
  return `TOPIC_STATE_${state.toUpperCase() as Uppercase<TopicState>}`;
}

/** `mark-price` for CHANNEL_MARK_PRICE, and so on; empty for CHANNEL_UNSPECIFIED. */
export function channelFromWire(channel: Channel): string {
  const word = wordOf(channel, "CHANNEL_");
  return word === "unspecified" ? "" : word;
}

/**
 * CHANNEL_MARK_PRICE for `mark-price`, and so on; CHANNEL_UNSPECIFIED for
 * anything else.
 */
export function channelToWire(channel: string): Channel {
  const name = `CHANNEL_${channel.toUpperCase().replaceAll("-", "_")}`;
  return Object.hasOwn(ChannelNumbers, name) ? (name as Channel) : "CHANNEL_UNSPECIFIED";
}
