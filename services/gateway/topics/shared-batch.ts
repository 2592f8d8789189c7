import { elementLength, lastSequenceOf, putElement, withBase } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { assert } from "#core/assert.ts";
import { wrapBatch } from "#wire/frame-codec.ts";
import type { GatewayLatency } from "../metrics.ts";

/** Labels of a topic, for counting what was not delivered. */
type TopicLabels = { readonly venue: string; readonly channel: string };

/** `receivedAtUs` of a batch whose way through the gateway is not measured. */
export const UNMEASURED = 0;

/**
 * Small, because a batch that somebody keeps for long keeps its whole chunk. Each topic has its
 * own for those, for the same reason.
 */
const CHUNK_BYTES = 2 * 1_024;
/** For what only passes through, of all topics together, so that it is in the processor's cache. */
const PASSING_CHUNK_BYTES = 8 * 1_024;
/** A batch that is longer has a chunk of its own. */
const SHARED_BYTES_MAX = 512;
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/** Bytes of batches, which nobody changes any more once they are there. */
type Chunk = {
  readonly bytes: Uint8Array;
  /** The same bytes by fours, where batches begin at such; undefined where they may not. */
  readonly words: Int32Array | undefined;
  /** Batches of all topics lie in it. */
  readonly isPassing: boolean;
};

/** Where a batch lies in a chunk. */
type BatchPlace = {
  readonly chunk: Chunk;
  readonly start: number;
  /** Of the form that goes on from the batch before. */
  readonly length: number;
  /** Of the base, which lies behind that; 0 if the batch has none, or has it in it. */
  readonly baseLength: number;
};

function chunkOf(length: number, isPassing = false): Chunk {
  const buffer = new ArrayBuffer(Math.ceil(length / WORD_BYTES) * WORD_BYTES);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), isPassing };
}

/** Bytes that are a chunk of their own. */
function wholeChunk(bytes: Uint8Array): Chunk {
  return { bytes, words: undefined, isPassing: false };
}

/** Gives places for batches, one after the other. */
class ChunkSpace {
  readonly #chunkBytes: number;
  readonly #isPassing: boolean;
  #chunk: Chunk | undefined;
  #used = 0;

  constructor(chunkBytes: number, isPassing: boolean) {
    this.#chunkBytes = chunkBytes;
    this.#isPassing = isPassing;
  }

  /** A place for a batch, which the caller fills. */
  placeFor(length: number, baseLength: number): BatchPlace {
    const whole = length + baseLength;
    if (whole > SHARED_BYTES_MAX) return { chunk: chunkOf(whole), start: 0, length, baseLength };
    let chunk = this.#chunk;
    if (chunk === undefined || whole > this.#chunkBytes - this.#used) {
      chunk = chunkOf(this.#chunkBytes, this.#isPassing);
      this.#chunk = chunk;
      this.#used = 0;
    }
    const start = this.#used;
    this.#used = start + Math.ceil(whole / WORD_BYTES) * WORD_BYTES;
    return { chunk, start, length, baseLength };
  }
}

/** Where news lies that nobody keeps yet. */
const passing = new ChunkSpace(PASSING_CHUNK_BYTES, true);

/** What the batches of one topic share. */
export class SharedTopic {
  /** In every batch; unique in this gateway, never 0. */
  readonly id: number;
  readonly labels: TopicLabels;
  /** Where the way of its batches is counted; undefined if nobody measures. */
  readonly latency: GatewayLatency | undefined;
  #unbased: SharedBatch | undefined;
  #based: SharedBatch | undefined;
  /** For batches that somebody keeps; made with the first one. */
  #kept: ChunkSpace | undefined;

  constructor(id: number, labels: TopicLabels, latency?: GatewayLatency) {
    this.id = id;
    this.labels = labels;
    this.latency = latency;
  }

  /** A place for a batch that somebody keeps, which the caller fills. */
  placeFor(length: number, baseLength: number): BatchPlace {
    this.#kept ??= new ChunkSpace(CHUNK_BYTES, false);
    return this.#kept.placeFor(length, baseLength);
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
  /** Changed by `keep` and `startChain` alone. */
  place: BatchPlace;
  /** Made when somebody asks for the bytes, which those who only copy them do not. */
  #bytes: Uint8Array | undefined;

  /** Whoever made the place has filled it. */
  constructor(topic: SharedTopic, extent: BatchExtent, place: BatchPlace) {
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
    this.place = place;
  }

  /** A batch of these bytes, which its caller gives up. Without `base` they have all that is. */
  static of(
    topic: SharedTopic,
    extent: BatchExtent,
    { bytes, base }: { readonly bytes: Uint8Array; readonly base?: Uint8Array | undefined },
  ): SharedBatch {
    if (base === undefined) {
      const chunk = wholeChunk(bytes);
      const whole = { chunk, start: 0, length: bytes.byteLength, baseLength: 0 };
      return new SharedBatch(topic, extent, whole);
    }
    const place = topic.placeFor(bytes.byteLength, base.byteLength);
    place.chunk.bytes.set(bytes, place.start);
    place.chunk.bytes.set(base, place.start + bytes.byteLength);
    return new SharedBatch(topic, extent, place);
  }

  /** News of a topic, copied from what the bus delivered or a view made. */
  static news(topic: SharedTopic, batch: BusBatch, receivedAtUs = UNMEASURED): SharedBatch {
    const { baseSequence, skipped, count, rebase } = batch;
    const firstSequence = baseSequence + skipped + 1;
    const lastSequence = baseSequence + skipped + count;
    const length = elementLength(batch, topic.id, rebase);
    const baseLength = rebase ? 0 : batch.baseEnd - batch.baseStart;
    const place = passing.placeFor(length, baseLength);
    const { chunk, start } = place;
    const end = putElement(chunk.bytes, start, batch, { topicId: topic.id, withBase: rebase });
    assert(end === start + length, "a batch is as long as was said");
    putBytes(chunk.bytes, end, batch.bytes, { start: batch.baseStart, length: baseLength });
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
    return new SharedBatch(topic, extent, place);
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
    return SharedBatch.of(topic, extent, { bytes });
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
    return SharedBatch.of(topic, extent, { bytes });
  }

  /** Where its way is counted; undefined if nobody measures. */
  get latency(): GatewayLatency | undefined {
    return this.topic.latency;
  }

  /**
   * Somebody keeps the batch for longer than the turn in which it came: it is moved to where others
   * of its topic lie, so that it does not keep the bytes of all that came with it.
   */
  keep(): void {
    const { chunk, start, length, baseLength } = this.place;
    if (!chunk.isPassing) return;
    const place = this.topic.placeFor(length, baseLength);
    const whole = chunk.bytes.subarray(start, start + length + baseLength);
    place.chunk.bytes.set(whole, place.start);
    this.place = place;
  }

  /**
   * Elements of ServerFrame.batches with tag and length: mostly one. Who asks for them may keep
   * them.
   */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) this.keep();
    const { chunk, start, length } = this.place;
    this.#bytes ??= chunk.bytes.subarray(start, start + length);
    return this.#bytes;
  }

  /** Of `bytes`. */
  get byteLength(): number {
    return this.place.length;
  }

  /** What `based` has besides; undefined if `bytes` has it already. */
  get base(): Uint8Array | undefined {
    const { chunk, start, length, baseLength } = this.place;
    if (baseLength === 0) return undefined;
    return chunk.bytes.subarray(start + length, start + length + baseLength);
  }

  /** Bytes that keeping the batch costs. */
  get keptBytes(): number {
    const { length, baseLength } = this.place;
    return length + baseLength;
  }

  /** The same batch for a subscriber who cannot go on from the batch before it. */
  get based(): SharedBatch {
    const { base } = this;
    if (base === undefined) return this;
    let based = this.topic.basedFormOf(this);
    if (based === undefined) {
      based = SharedBatch.of(this.topic, this, { bytes: withBase(this.bytes, base) });
      this.topic.keepBasedForm(this, based);
    }
    return based;
  }

  /**
   * Every subscriber gets the base: the batch does not go on from the one that they had before. To
   * be said before anybody has the batch.
   */
  startChain(): void {
    const { base } = this;
    if (base === undefined) return;
    const bytes = withBase(this.bytes, base);
    const chunk = wholeChunk(bytes);
    this.place = { chunk, start: 0, length: bytes.byteLength, baseLength: 0 };
    this.#bytes = undefined;
  }
}

/** Copies a range that is mostly so short that a view of it would cost more than its bytes. */
function putBytes(
  target: Uint8Array,
  position: number,
  bytes: Uint8Array,
  { start, length }: { readonly start: number; readonly length: number },
): void {
  if (length > SHARED_BYTES_MAX) {
    target.set(bytes.subarray(start, start + length), position);
    return;
  }
  for (let at = 0; at < length; at += 1) target[position + at] = bytes[start + at] as number;
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
