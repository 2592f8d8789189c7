import { encodeBatch } from "@tickwire/proto/codec";
import type { BatchHeaderInit, BatchRows } from "@tickwire/proto/codec";
import type { Channel } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";

const BATCH_KIND_OF_CHANNEL = {
  trades: "trades",
  quotes: "quotes",
  book: "books",
  candles: "candles",
  ticker: "tickers",
  funding: "fundings",
  "mark-price": "markPrices",
  "open-interest": "openInterests",
  liquidations: "liquidations",
  status: "statuses",
} as const satisfies Record<Channel, BatchRows["kind"]>;

/**
 * Encodes events of one channel as a batch; event i has the sequence firstSequence + i. The caller
 * owns the result. Throws WireError as `encodeBatch` does, and RangeError if there are no events or
 * they are of several channels, which is a bug of the caller.
 */
export function encodeEvents(header: BatchHeaderInit, events: readonly MarketEvent[]): Uint8Array {
  const kind = events[0]?.kind;
  if (kind === undefined) throw new RangeError("a batch of no events has no channel");
  for (let index = 1; index < events.length; index += 1) {
    const other = events[index]?.kind;
    if (other !== kind) throw new RangeError(`a batch of ${kind} events has a ${other} event`);
  }
  // An event has all that a row of its kind has, under the same names.
  const rows = { kind: BATCH_KIND_OF_CHANNEL[CHANNEL_OF_KIND[kind]], rows: events } as BatchRows;
  return encodeBatch(header, rows);
}

/** A batch without events, which only says where the topic stands. The caller owns the result. */
export function encodePosition(header: BatchHeaderInit, channel: Channel): Uint8Array {
  return encodeBatch(header, { kind: BATCH_KIND_OF_CHANNEL[channel], rows: [] });
}
