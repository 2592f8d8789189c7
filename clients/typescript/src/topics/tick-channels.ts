import { QUOTES_PAYLOAD, TRADES_PAYLOAD } from "@tickwire/proto/codec";
import { quoteEvent, tradeEvent } from "../events/hot-events.ts";
import type { ChannelPart } from "./channel.ts";
import { eventChannel } from "./event-channel.ts";

/** Trades, and the best bid and offer. */
export const TICK_CHANNELS: readonly ChannelPart[] = [
  /* @__PURE__ */ eventChannel("trades", TRADES_PAYLOAD, { eventOf: tradeEvent }),
  /* @__PURE__ */ eventChannel("quotes", QUOTES_PAYLOAD, { eventOf: quoteEvent, keyOf: () => "" }),
];
