import { rowsPayload } from "@tickwire/proto/codec";
import { EVENT_KINDS } from "@tickwire/proto/model";
import type { MarketEvent } from "../events/market-event.ts";
import { rowEvent, type RowsBatch } from "../events/row-event.ts";
import type { ChannelPart } from "./channel.ts";
import { eventChannel } from "./event-channel.ts";

/** The first of EVENT_KINDS that is read as rows; trades, quotes and books stand before it. */
const ROWS_FROM = 3;

/** Every channel but trades, quotes and books. */
export const ROW_CHANNELS: readonly ChannelPart[] = /* @__PURE__ */ EVENT_KINDS.slice(
  ROWS_FROM,
).map((kind) =>
  eventChannel<RowsBatch>(kind.channel, rowsPayload(kind), {
    eventOf: (info, batch, index) => rowEvent(kind, info, batch, index),
    // Liquidations are news.
    keyOf: kind.type === "liquidation" ? undefined : memoryKey,
  }),
);

/**
 * Every channel of a status topic is a state of its own, as are every length of candles and every
 * instrument of a list.
 */
function memoryKey(event: MarketEvent): string {
  if (event.type === "status") return event.channel;
  if (event.type === "listing") return event.symbol;
  return event.type === "candle" ? String(event.intervalMs) : "";
}
