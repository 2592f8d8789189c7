import type { DecodedBatch } from "../types.ts";
import { WireError } from "../wire-error.ts";
import { BatchReader } from "./batch-reader.ts";
import type { BusBatch } from "./bus-batch.ts";

/** Larger batches are put together in a copy of their own. */
const SCRATCH_BYTES = 4 * 1_024;
/** Made when it is first needed, by whoever reads a bus. Reading is never re-entered. */
let checking: { readonly scratch: Uint8Array; readonly reader: BatchReader } | undefined;

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
  throw unknownChannel(batch);
}

/**
 * Reads the events as `readBusEvents` does, and keeps nothing of them: for whoever hands the batch
 * on and wants to be sure that they can be read. Throws WireError as `readBusEvents`.
 */
export function checkWholeEvents(batch: BusBatch): void {
  const { bytes, baseStart, baseEnd, coreStart, coreEnd } = batch;
  const length = baseEnd - baseStart + coreEnd - coreStart;
  if (length > SCRATCH_BYTES) {
    readBusEvents(batch);
    return;
  }
  checking ??= { scratch: new Uint8Array(SCRATCH_BYTES), reader: new BatchReader() };
  const { scratch, reader } = checking;
  // Byte by byte: of so few, a view of a range costs more than the bytes.
  let at = 0;
  for (let from = baseStart; from < baseEnd; from += 1) scratch[at++] = bytes[from] as number;
  for (let from = coreStart; from < coreEnd; from += 1) scratch[at++] = bytes[from] as number;
  if (reader.read(scratch, 0, length).outcome !== "read") throw unknownChannel(batch);
}

/** A batch with a base is read, or of a channel that this schema does not have. */
function unknownChannel({ channel }: BusBatch): WireError {
  return new WireError("unknown-payload", `channel ${channel} is not in this schema`);
}
