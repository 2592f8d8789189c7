/** The part of a venue that one ingestor publishes: all of it, or a shard of its instruments. */
export type Partition = {
  readonly venue: string;
  /** From 1 to `shardCount`; both are 0 where the venue is not divided. */
  readonly shardIndex: number;
  readonly shardCount: number;
};

/** For logs and labels: `2/3`, or nothing where the venue is not divided. */
export function shardText({ shardIndex, shardCount }: Partition): string {
  return shardCount === 0 ? "" : `${shardIndex}/${shardCount}`;
}

/** One word for the partition, of characters that a subject and a key may have. */
export function partitionKey({ venue, shardIndex, shardCount }: Partition): string {
  return shardCount === 0 ? venue : `${venue}.${shardIndex}-of-${shardCount}`;
}
