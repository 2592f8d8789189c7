import { WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { decodeBusBatch } from "#wire/bus-codec.ts";

/** A batch of news; undefined if it cannot be read or cannot be one of the channel. */
export function readNews(payload: Uint8Array, channel: number): BusBatch | undefined {
  let batch: BusBatch;
  try {
    batch = decodeBusBatch(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  // Nothing is conflated on the bus.
  const isNews = !batch.snapshot && batch.skipped === 0;
  return isNews && batch.channel === channel ? batch : undefined;
}
