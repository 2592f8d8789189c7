import { lastSequenceOf, withBase } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { wrapBatch } from "#wire/frame-codec.ts";
import type { GatewayLatency } from "../metrics.ts";

/** Labels of a topic, for counting what was not delivered. */
type TopicLabels = { readonly venue: string; readonly channel: string };

/** `receivedAtUs` of a batch whose way through the gateway is not measured. */
export const UNMEASURED = 0;

/** What the batches of one topic share. */
export class SharedTopic {
  /** In every batch; unique in this gateway, never 0. */
  readonly id: number;
  readonly labels: TopicLabels;
  /** Where the way of its batches is counted; undefined if nobody measures. */
  readonly latency: GatewayLatency | undefined;
  #unbased: SharedBatch | undefined;
  #based: SharedBatch | undefined;

  constructor(id: number, labels: TopicLabels, latency?: GatewayLatency) {
    this.id = id;
    this.labels = labels;
    this.latency = latency;
  }

  /** The form of the batch with its base, if it is the last one that was made. */
  basedFormOf(batch: SharedBatch): SharedBatch | undefined {
    return this.#unbased === batch ? this.#based : undefined;
  }

  /** Keeps one form with a base, because all who need it want it in the same turn. */
  keepBasedForm(batch: SharedBatch, based: SharedBatch): void {
    this.#unbased = batch;
    this.#based = based;
  }
}

/** Where a batch lies in its topic. */
type BatchExtent = {
  /** Sequences that it stands for: its events, and those that were conflated away. At least 1. */
  readonly events: number;
  /** Those of them that were conflated away. */
  readonly skipped: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** All its events stand at one sequence. */
  readonly isState: boolean;
  /** The news that follows needs its base. */
  readonly endsChain: boolean;
  /**
   * When the gateway received it, or a view made it, on the monotonic clock; 0 for what comes from
   * what is kept, whose age says nothing about the gateway's pace.
   */
  readonly receivedAtUs: number;
};

/**
 * One batch as it goes to clients, shared by every session: the form that goes on from the batch
 * before it is made at once, the one with a base when somebody needs it.
 */
export class SharedBatch implements BatchExtent {
  readonly topicId: number;
  readonly events: number;
  readonly skipped: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly isState: boolean;
  readonly endsChain: boolean;
  readonly receivedAtUs: number;
  readonly labels: TopicLabels;
  readonly topic: SharedTopic;
  #bytes: Uint8Array;
  /** Undefined if `#bytes` has it. */
  #base: Uint8Array | undefined;

  constructor(
    topic: SharedTopic,
    extent: BatchExtent,
    content: { readonly bytes: Uint8Array; readonly base: Uint8Array | undefined },
  ) {
    this.topicId = topic.id;
    this.labels = topic.labels;
    this.events = extent.events;
    this.skipped = extent.skipped;
    this.firstSequence = extent.firstSequence;
    this.lastSequence = extent.lastSequence;
    this.isState = extent.isState;
    this.endsChain = extent.endsChain;
    this.receivedAtUs = extent.receivedAtUs;
    this.topic = topic;
    this.#bytes = content.bytes;
    this.#base = content.base;
  }

  /** News of a topic, copied from what the bus delivered or a view made. */
  static news(topic: SharedTopic, batch: BusBatch, receivedAtUs = UNMEASURED): SharedBatch {
    const { baseSequence, skipped, count, rebase } = batch;
    const firstSequence = baseSequence + skipped + 1;
    const lastSequence = baseSequence + skipped + count;
    const bytes = wrapBatch(topic.id, batch, rebase);
    const base = rebase ? undefined : batch.bytes.slice(batch.baseStart, batch.baseEnd);
    const events = skipped + count;
    const extent = {
      events,
      skipped,
      firstSequence,
      lastSequence,
      isState: false,
      endsChain: false,
      receivedAtUs,
    };
    return new SharedBatch(topic, extent, { bytes, base });
  }

  /** The state of a topic, mostly one batch; its events all stand at the same sequence. */
  static state(topic: SharedTopic, batches: readonly [BusBatch, ...BusBatch[]]): SharedBatch {
    const elements = batches.map((batch) => wrapBatch(topic.id, batch, true));
    const bytes = elements.length === 1 ? (elements[0] as Uint8Array) : concatenated(elements);
    const events = batches.reduce((sum, { count }) => sum + count, 0);
    const sequence = batches[0].baseSequence;
    const extent = {
      events,
      skipped: 0,
      firstSequence: sequence,
      lastSequence: sequence,
      isState: true,
      endsChain: true,
      receivedAtUs: UNMEASURED,
    };
    return new SharedBatch(topic, extent, { bytes, base: undefined });
  }

  /**
   * What follows a position, for somebody who stands there: batches of a chain of their own, from
   * which nothing that comes afterwards goes on.
   */
  static sequel(topic: SharedTopic, batches: readonly [BusBatch, ...BusBatch[]]): SharedBatch {
    const [first] = batches;
    const elements = batches.map((batch) => {
      return wrapBatch(topic.id, batch, batch === first || batch.rebase);
    });
    const bytes = elements.length === 1 ? (elements[0] as Uint8Array) : concatenated(elements);
    const lastSequence = lastSequenceOf(batches.at(-1) ?? first);
    const extent = {
      events: lastSequence - first.baseSequence,
      skipped: batches.reduce((sum, { skipped }) => sum + skipped, 0),
      firstSequence: first.baseSequence + first.skipped + 1,
      lastSequence,
      isState: false,
      endsChain: true,
      receivedAtUs: UNMEASURED,
    };
    return new SharedBatch(topic, extent, { bytes, base: undefined });
  }

  /** Where its way is counted; undefined if nobody measures. */
  get latency(): GatewayLatency | undefined {
    return this.topic.latency;
  }

  /** Elements of ServerFrame.batches with tag and length: mostly one. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** What `based` has besides; undefined if `bytes` has it already. */
  get base(): Uint8Array | undefined {
    return this.#base;
  }

  /** Bytes that keeping the batch costs. */
  get keptBytes(): number {
    return this.#bytes.byteLength + (this.#base?.byteLength ?? 0);
  }

  /** The same batch for a subscriber who cannot go on from the batch before it. */
  get based(): SharedBatch {
    if (this.#base === undefined) return this;
    let based = this.topic.basedFormOf(this);
    if (based === undefined) {
      const bytes = withBase(this.#bytes, this.#base);
      based = new SharedBatch(this.topic, this, { bytes, base: undefined });
      this.topic.keepBasedForm(this, based);
    }
    return based;
  }

  /**
   * Every subscriber gets the base: the batch does not go on from the one that they had before. To
   * be said before anybody has the batch.
   */
  startChain(): void {
    if (this.#base === undefined) return;
    this.#bytes = withBase(this.#bytes, this.#base);
    this.#base = undefined;
  }
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.byteLength;
  }
  return whole;
}
