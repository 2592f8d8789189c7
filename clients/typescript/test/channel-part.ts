import { ALL_CHANNELS } from "../src/topics/all-channels.ts";
import type { ChannelPart } from "../src/topics/channel.ts";
import type { Channel } from "../src/topics/topic.ts";

/** What topics of that channel are made with. */
export function channelPart(channel: Channel): ChannelPart {
  return ALL_CHANNELS.find(({ name }) => name === channel)!;
}
