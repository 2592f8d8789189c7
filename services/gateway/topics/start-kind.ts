import {
  BatchReader,
  BatchWriter,
  rowsOf,
  walkServerFrame,
  WireError,
} from "@tickwire/proto/codec";
import type { BatchReading, BatchRows, BusBatch, DecodedBatch } from "@tickwire/proto/codec";
import type { Channel } from "#core/instrument.ts";
import type { SharedBatch } from "./shared-batch.ts";

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
  listings: "snapshot",
};

/** How a subscription to `channel` starts. */
export function startKindOf(channel: Channel): StartKind {
  return START_KINDS[channel];
}

/**
 * The last event of a batch as a state at its sequence, in the epoch that the topic is in; mostly
 * one batch. Decodes and encodes, so it is for starts, not for every batch. Undefined if the batch
 * cannot be read, as its head alone does not show.
 */
export function latestAsState(
  last: SharedBatch,
  epoch: number,
): [BusBatch, ...BusBatch[]] | undefined {
  const batch = readFramed(last.based.bytes);
  if (batch === undefined) return undefined;
  const { publishedTimeUs } = batch;
  const { kind, rows } = rowsOf(batch);
  const latest = { kind, rows: rows.slice(-1) } as BatchRows;
  const chain = { kind, epoch, sequence: last.lastSequence };
  const [first, ...rest] = BatchWriter.snapshot(chain, latest, { publishedTimeUs });
  return first === undefined ? undefined : [first, ...rest];
}

/** A frame of one batch that has a base; undefined if it cannot be read. */
function readFramed(frame: Uint8Array): DecodedBatch | undefined {
  let reading: BatchReading | undefined;
  try {
    walkServerFrame(frame, {
      message: () => undefined,
      batch: (start, end) => {
        reading = new BatchReader().read(frame, start, end);
      },
    });
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return reading?.outcome === "read" ? reading.batch : undefined;
}
