import { BOOK_CHANNEL } from "./book-channel.ts";
import type { ChannelPart } from "./channel.ts";
import { ROW_CHANNELS } from "./row-channels.ts";
import { TICK_CHANNELS } from "./tick-channels.ts";

/** Every channel of the schema. */
export const ALL_CHANNELS: readonly ChannelPart[] = [
  ...TICK_CHANNELS,
  BOOK_CHANNEL,
  ...ROW_CHANNELS,
];
