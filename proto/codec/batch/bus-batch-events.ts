import type { DecodedBatch } from "../types.ts";
import { WireError } from "../wire-error.ts";
import { BatchReader } from "./batch-reader.ts";
import type { BusBatch } from "./bus-batch.ts";

/**
 * The events of a bus message, which is readable alone: for whoever does more with it than hand it
 * on. Throws WireError, with the code `unknown-payload` for a channel that this schema does not
 * have.
 */
export function readBusEvents(batch: BusBatch): DecodedBatch {
  const { bytes, baseStart, baseEnd, coreStart, coreEnd } = batch;
  const based = new Uint8Array(baseEnd - baseStart + coreEnd - coreStart);
  based.set(bytes.subarray(baseStart, baseEnd));
  based.set(bytes.subarray(coreStart, coreEnd), baseEnd - baseStart);
  const reading = new BatchReader().read(based);
  if (reading.outcome === "read") return reading.batch;
  throw new WireError("unknown-payload", `channel ${batch.channel} is not in this schema`);
}
