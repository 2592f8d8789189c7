import { LateCode } from "../host/late-code.ts";
import type { EarlyLink } from "../session/client-session.ts";
import { ChannelSource } from "./channel-source.ts";
import { TICK_NAMES } from "./tick-names.ts";

const ROW_NAMES = [
  "candles",
  "ticker",
  "funding",
  "mark-price",
  "open-interest",
  "liquidations",
  "status",
  "listings",
] as const;

/** Every channel: trades and quotes with the session, the others when they are first subscribed. */
export function lateChannels(link: EarlyLink): ChannelSource {
  const book = async () => [(await import("./book-channel.ts")).BOOK_CHANNEL];
  const rows = async () => (await import("./row-channels.ts")).ROW_CHANNELS;
  const late = [
    { names: ["book"], code: new LateCode(book, link) },
    { names: ROW_NAMES, code: new LateCode(rows, link) },
  ] as const;
  return new ChannelSource([], late, TICK_NAMES);
}
