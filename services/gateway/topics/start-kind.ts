import { encodeBatch, readBatch, rowsOf, WireError } from "@tickwire/proto/codec";
import type { BatchRows, DecodedBatch } from "@tickwire/proto/codec";
import type { Channel } from "#core/instrument.ts";

/**
 * How a subscription to a channel starts.
 * - `snapshot`: with the state at a sequence and every event since.
 * - `last`: with the latest event, because each replaces the one before.
 * - `none`: with what comes next, because there is no state.
 */
export type StartKind = "snapshot" | "last" | "none";

const START_KINDS: Readonly<Record<Channel, StartKind>> = {
  trades: "none",
  quotes: "last",
  book: "snapshot",
  candles: "snapshot",
  ticker: "last",
  funding: "last",
  "mark-price": "last",
  "open-interest": "last",
  liquidations: "none",
  status: "snapshot",
};

/** How a subscription to `channel` starts. */
export function startKindOf(channel: Channel): StartKind {
  return START_KINDS[channel];
}

/**
 * The last event of a framed batch (tag, length, Batch) as a state at its sequence. Decodes and
 * encodes, so it is for starts, not for every batch. Undefined if the batch cannot be read, as its
 * head alone does not show. The caller owns the result.
 */
export function latestAsState(element: Uint8Array): Uint8Array | undefined {
  let start = 1;
  while ((element[start] ?? 0) >= 0x80) start += 1;
  let batch: DecodedBatch;
  try {
    batch = readBatch(element, start + 1);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  const { kind, rows } = rowsOf(batch);
  const { epoch, firstSequence, count, publishedTimeUs } = batch;
  const header = { epoch, firstSequence: firstSequence + count - 1, publishedTimeUs };
  const latest = { kind, rows: rows.slice(-1) } as BatchRows;
  return encodeBatch({ ...header, snapshot: true }, latest);
}
