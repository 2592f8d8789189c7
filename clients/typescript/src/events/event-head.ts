import type { TopicInfo } from "../topics/topic.ts";

/** What of a batch its events share. */
export type EventBatch = {
  readonly epoch: number;
  readonly firstSequence: number;
  readonly snapshot: boolean;
  readonly publishedTimeUs: number;
  readonly receivedTimesUs: readonly number[];
  readonly venueTimesUs: readonly (number | undefined)[];
};

/** Sequence of event `index` of a batch; all events of a state stand at one. */
export function sequenceAt(
  { snapshot, firstSequence }: Pick<EventBatch, "snapshot" | "firstSequence">,
  index: number,
): number {
  return snapshot ? firstSequence : firstSequence + index;
}

/**
 * What every market event has. An event is a plain object: spread, Object.assign, structuredClone,
 * postMessage, JSON.stringify and console.log take all of it. Times are integer microseconds since
 * 1970.
 */
export type EventHead<Type extends string> = {
  /** Tells the kinds of events apart. */
  readonly type: Type;
  /** `VENUE:SYMBOL/channel`. */
  readonly topic: string;
  /** Lower case, such as `binance`. */
  readonly venue: string;
  /** Tickwire's symbol, unique within the venue. */
  readonly symbol: string;
  /** The venue's own symbol. */
  readonly venueSymbol: string;
  /** Changes when sequences start anew. */
  readonly epoch: number;
  /** Rises by one from event to event of a topic within an epoch. */
  readonly sequence: number;
  /** True if this is the state at the start of a subscription, not news. */
  readonly initial: boolean;
  /** When the venue says it happened; undefined if it says nothing, never filled in. */
  readonly venueTimeUs: number | undefined;
  /** When Tickwire received it from the venue. */
  readonly receivedTimeUs: number;
  /** When Tickwire published the batch it came in. */
  readonly publishedTimeUs: number;
};

/** The head of event `index` of a batch. */
export function headOf<Type extends string>(
  type: Type,
  { topic, venue, symbol, venueSymbol }: TopicInfo,
  batch: EventBatch,
  index: number,
): EventHead<Type> {
  return {
    type,
    topic,
    venue,
    symbol,
    venueSymbol,
    epoch: batch.epoch,
    sequence: sequenceAt(batch, index),
    initial: batch.snapshot,
    venueTimeUs: batch.venueTimesUs[index],
    receivedTimeUs: batch.receivedTimesUs[index] ?? 0,
    publishedTimeUs: batch.publishedTimeUs,
  };
}
