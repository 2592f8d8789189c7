import { MARKET_SYMBOL } from "#core/instrument.ts";
import { isShard, shardOf } from "#core/shard.ts";

/** The part of a venue that one publisher has: all of it, or one shard of its instruments. */
export type VenuePartition = {
  readonly venue: string;
  /** From 1 to `shardCount`; both are 0 where the venue is not divided. */
  readonly shardIndex: number;
  readonly shardCount: number;
};

/** One text for each partition. A venue's id has no blanks, so no two are the same. */
export function partitionId({ venue, shardIndex, shardCount }: VenuePartition): string {
  return shardCount === 0 ? venue : `${venue} ${shardIndex}/${shardCount}`;
}

/** Whether there is such a part. */
export function isPartition({ shardIndex: index, shardCount: count }: VenuePartition): boolean {
  return (index === 0 && count === 0) || isShard({ index, count });
}

/** Whether an instrument of this symbol would be one of the partition's. */
export function mayHave({ shardIndex, shardCount }: VenuePartition, symbol: string): boolean {
  if (symbol === MARKET_SYMBOL) return shardIndex <= 1;
  return shardCount === 0 || shardOf(symbol, shardCount) === shardIndex;
}

/** Whether these are all parts of a venue: one that is not divided, or every shard of one count. */
export function areWhole(partitions: readonly VenuePartition[]): boolean {
  return partitions.some(
    ({ shardCount }) =>
      shardCount === 0 ||
      partitions.filter((other) => other.shardCount === shardCount).length === shardCount,
  );
}
