import { WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import type { BusContent, BusMessage } from "#bus/bus.ts";
import { decodeBusBatch } from "#wire/bus-codec.ts";

/**
 * A batch of news; undefined if it cannot be read or cannot be one of the channel. What was
 * published in this process is known already: whoever wrote it has said where its parts are.
 */
export function readNews(
  { payload, content }: Pick<BusMessage, "payload" | "content">,
  channel: number,
): BusBatch | undefined {
  const batch = isBatchOf(payload, content) ? content : decoded(payload);
  // Nothing is conflated on the bus.
  const isNews = batch !== undefined && !batch.snapshot && batch.skipped === 0;
  return isNews && batch.channel === channel ? batch : undefined;
}

function isBatchOf(payload: Uint8Array, content: BusContent | undefined): content is BusBatch {
  return content !== undefined && content.bytes === payload && "coreStart" in content;
}

function decoded(payload: Uint8Array): BusBatch | undefined {
  try {
    return decodeBusBatch(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
