import { parseMantissa, textScale, toNumber } from "@tickwire/proto/model";
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

/**
 * What every market event has. Values are computed when they are read, from columns that the events
 * of a batch share. Times are integer microseconds since 1970.
 */
export abstract class EventBase {
  /** Tells the kinds of events apart. */
  abstract readonly type: string;
  readonly #info: TopicInfo;
  readonly #batch: EventBatch;
  readonly #index: number;

  constructor(info: TopicInfo, batch: EventBatch, index: number) {
    this.#info = info;
    this.#batch = batch;
    this.#index = index;
  }

  /** `VENUE:SYMBOL/channel`. */
  get topic(): string {
    return this.#info.topic;
  }

  /** Lower case, such as `binance`. */
  get venue(): string {
    return this.#info.venue;
  }

  /** Tickwire's symbol, unique within the venue. */
  get symbol(): string {
    return this.#info.symbol;
  }

  /** The venue's own symbol. */
  get venueSymbol(): string {
    return this.#info.venueSymbol;
  }

  /** Changes when sequences start anew. */
  get epoch(): number {
    return this.#batch.epoch;
  }

  /** Rises by one from event to event of a topic within an epoch. */
  get sequence(): number {
    const { firstSequence, snapshot } = this.#batch;
    return snapshot ? firstSequence : firstSequence + this.#index;
  }

  /** True if this is the state at the start of a subscription, not news. */
  get initial(): boolean {
    return this.#batch.snapshot;
  }

  /** When the venue says it happened; undefined if it says nothing, never filled in. */
  get venueTimeUs(): number | undefined {
    return this.#batch.venueTimesUs[this.#index];
  }

  /** When Tickwire received it from the venue. */
  get receivedTimeUs(): number {
    return this.#batch.receivedTimesUs[this.#index] ?? 0;
  }

  /** When Tickwire published the batch it came in. */
  get publishedTimeUs(): number {
    return this.#batch.publishedTimeUs;
  }

  /**
   * The event as plain data with exact decimals as text, the same as `tickwire normalize` prints.
   */
  toJSON(): Record<string, unknown> {
    const { venueTimeUs } = this;
    return {
      type: this.type,
      venue: this.venue,
      symbol: this.symbol,
      venueSymbol: this.venueSymbol,
      epoch: this.epoch,
      sequence: this.sequence,
      ...(venueTimeUs === undefined ? {} : { venueTimeUs }),
      receivedTimeUs: this.receivedTimeUs,
      ...this.payload(),
    };
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): Record<string, unknown> {
    return this.toJSON();
  }

  /** The fields of the kind, for toJSON; undefined ones are left out by JSON. */
  protected abstract payload(): Record<string, unknown>;
}

/** The nearest double of an exact decimal text. */
export function numberOfText(text: string): number {
  const scale = textScale(text);
  return toNumber(parseMantissa(text, scale), scale);
}

/** The nearest double of an exact decimal text, or undefined where there is none. */
export function numberOfOptionalText(text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberOfText(text);
}
