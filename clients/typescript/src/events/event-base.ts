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
 * What every market event has. An event is plain data: spread, structuredClone, postMessage and
 * console.log take all of it. Times are integer microseconds since 1970.
 */
export abstract class EventBase<Type extends string> {
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

  constructor(type: Type, info: TopicInfo, batch: EventBatch, index: number) {
    this.type = type;
    this.topic = info.topic;
    this.venue = info.venue;
    this.symbol = info.symbol;
    this.venueSymbol = info.venueSymbol;
    this.epoch = batch.epoch;
    this.sequence = sequenceAt(batch, index);
    this.initial = batch.snapshot;
    this.venueTimeUs = batch.venueTimesUs[index];
    this.receivedTimeUs = batch.receivedTimesUs[index] ?? 0;
    this.publishedTimeUs = batch.publishedTimeUs;
  }

  /** For JSON.stringify, which refuses a bigint: mantissas beyond 2^53 become text. */
  toJSON(): Record<string, unknown> {
    return withoutBigInts(this);
  }
}

/** A copy of an event or a level whose mantissas can stand in JSON. */
export function withoutBigInts(source: object): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(source)) {
    copy[name] = typeof value === "bigint" ? String(value) : (value as unknown);
  }
  return copy;
}
