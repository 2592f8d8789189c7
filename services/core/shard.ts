import { crc32 } from "@tickwire/proto/model";

/** One of the parts into which the instruments of a venue are divided. */
type Shard = {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
};

/** Parts that a venue may be divided into. */
export const SHARDS_MAX = 256;

const SHARD = /^([1-9][0-9]{0,2})\/([1-9][0-9]{0,2})$/;

/** Reads `INDEX/COUNT`; undefined for anything else, and for a count that divides nothing. */
export function parseShard(text: string): Shard | undefined {
  const match = SHARD.exec(text);
  if (match === null) return undefined;
  const shard = { index: Number(match[1]), count: Number(match[2]) };
  return isShard(shard) ? shard : undefined;
}

export function isShard({ index, count }: Shard): boolean {
  return count >= 2 && count <= SHARDS_MAX && index >= 1 && index <= count;
}

/**
 * The shard of an instrument, from 1 to `count`. It follows from the symbol alone, so that every
 * ingestor comes to the same, whenever it starts and whatever else is listed.
 */
export function shardOf(symbol: string, count: number): number {
  return (crc32(symbol) % count) + 1;
}
