import { LateCode } from "../host/late-code.ts";
import type { SessionLink } from "../session/session-part.ts";
import { ChannelSource } from "./channel-source.ts";
import { TICK_CHANNELS } from "./tick-channels.ts";

/** Every channel: trades and quotes at once, the others when they are first subscribed. */
export function lateChannels(link: SessionLink): ChannelSource {
  const book = async () => [(await import("./book-channel.ts")).BOOK_CHANNEL];
  const rows = async () => (await import("./row-channels.ts")).ROW_CHANNELS;
  return new ChannelSource(TICK_CHANNELS, [
    { names: ["book"], code: new LateCode(book, link) },
    {
      names: [
        "candles",
        "ticker",
        "funding",
        "mark-price",
        "open-interest",
        "liquidations",
        "status",
        "listings",
      ],
      code: new LateCode(rows, link),
    },
  ]);
}
