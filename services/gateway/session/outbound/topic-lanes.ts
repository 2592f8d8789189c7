import { assert } from "#core/assert.ts";
import type { FanOut, ListOwner, ListSeat } from "../../topics/fan-out.ts";
import type { SharedBatch } from "../../topics/shared-batch.ts";
import type { FrameBuffer } from "./frame-buffer.ts";
import { mustCut, PART_LANES, putPart, voidPart } from "./part.ts";

/** A batch, or a message that keeps its place among the batches of its topic. */
type Entry = Pick<
  SharedBatch,
  "bytes" | "topicId" | "labels" | "isState" | "lastSequence" | "receivedAtUs" | "latency"
> & {
  /** 0 marks a message. */
  readonly events: number;
};

/** What a message has in place of what a batch has. */
const NO_BATCH = {
  events: 0,
  labels: { venue: "", channel: "" },
  isState: false,
  lastSequence: 0,
  receivedAtUs: 0,
  latency: undefined,
};
/** Of every session for which nothing waits. */
const NO_ENTRIES: readonly Entry[] = [];
/** Consumed entries at the head of the queue that are worth moving the rest for. */
const COMPACT_ENTRIES_MIN = 1_024;

/** Hears that there is something to send. */
export type LaneListener = {
  /** It is the turn of the list. */
  onListDue(nowUs: number): void;
  /** What was in the list has come into the lanes. */
  onListTaken(bytes: number): void;
  /** So much has left from the list without coming into the lanes. */
  onListSent(bytes: number): void;
  /** News of a topic: a batch, or a message about it. */
  onNews(bytes: number): void;
  /** Part of the start of a subscription. */
  onStart(bytes: number): void;
};

/**
 * The market data that one session is owed: a lane for each topic, so that what is owed of one
 * topic can be taken back without the others. All lanes share one queue in order of arrival,
 * because a client should see two topics in the order in which the gateway saw them.
 */
export class TopicLanes implements ListOwner {
  readonly #listener: LaneListener;
  /**
   * The list that batches of all topics may be put into instead: they came after all entries, and
   * stay there until they are asked for. Undefined if there is none.
   */
  readonly seat: ListSeat | undefined;
  #entries = NO_ENTRIES;
  #head = 0;
  #bytes = 0;
  /** Of entries that have left. */
  #leftBytes = 0;
  /** Bytes of the oldest entry that have left in pieces. */
  #cutBytes = 0;
  /** Bytes of it that were put into the frame at hand. */
  #partBytes = 0;
  #closed = false;

  /** Without `fanOut` every batch is pushed. */
  constructor(listener: LaneListener, fanOut?: FanOut) {
    this.#listener = listener;
    this.seat = fanOut?.open(this);
  }

  /**
   * Whether batches may be put into the list from now on. The list of lanes that are closed may be
   * another's as soon as nobody delivers to it any more.
   */
  get isListable(): boolean {
    return this.seat !== undefined && !this.#closed;
  }

  /** Bytes that wait in all lanes. */
  get bytes(): number {
    this.#takeListed();
    return this.#bytes;
  }

  /** Where the queue begins, in bytes that have left since the session began. */
  get begin(): number {
    this.endQuick();
    return this.#leftBytes;
  }

  /** What has waited longest: a batch, or a message among them. */
  get oldest(): Pick<Entry, "receivedAtUs" | "latency"> | undefined {
    this.#takeListed();
    return this.#entries[this.#head];
  }

  /** Where the queue ends, counted in the same way. */
  get end(): number {
    this.#takeListed();
    return this.#leftBytes + this.#bytes;
  }

  /** For FanOut. */
  onListDue(nowUs: number): void {
    this.#listener.onListDue(nowUs);
  }

  /** For FanOut. */
  onListFull(): void {
    this.#takeListed();
  }

  /** Queues a batch by reference: its bytes are shared by every session. */
  push(batch: SharedBatch): void {
    this.#pushNews(batch);
  }

  /**
   * Queues whole elements of ServerFrame.messages behind every batch of the topic that is queued
   * now. Other sessions may hold the same bytes, which nobody changes.
   */
  pushMessage(topicId: number, message: Uint8Array): void {
    // It stays where a state would: what comes before it is taken back as little.
    this.#pushNews({ ...NO_BATCH, isState: true, bytes: message, topicId });
  }

  /** The same of a message about the batches before it, which goes with them. */
  pushCheck(topicId: number, message: Uint8Array): void {
    this.#pushNews({ ...NO_BATCH, bytes: message, topicId });
  }

  #pushNews(entry: Entry): void {
    if (this.#closed) return;
    this.#takeListed();
    this.#ownEntries().push(entry);
    this.#bytes += entry.bytes.byteLength;
    this.#listener.onNews(entry.bytes.byteLength);
  }

  /** Queues a batch that is part of what a subscription starts with. */
  pushStart(entry: SharedBatch): void {
    if (this.#closed) return;
    this.#takeListed();
    this.#ownEntries().push(entry);
    this.#bytes += entry.bytes.byteLength;
    this.#listener.onStart(entry.bytes.byteLength);
  }

  /**
   * Copies entries into the frame while they fit; says how many. They stay until `consume`. A
   * message ends the frame before it if that has batches, because whoever decodes a frame reads its
   * messages before its batches. If the oldest is too large and may be cut, a piece of it is all
   * that the frame gets.
   */
  fill(frame: FrameBuffer, mayCut = false): number {
    this.#takeListed();
    let index = this.#head;
    this.#partBytes = 0;
    const oldest = this.#entries[index];
    if (oldest !== undefined && mayCut && (this.#cutBytes > 0 || mustCut(frame, oldest.bytes))) {
      this.#partBytes = putPart(frame, PART_LANES.topics, oldest.bytes, this.#cutBytes);
      return 0;
    }
    let hasBatch = false;
    for (; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      assert(entry !== undefined, "entries from the head on are there");
      if (entry.events > 0) hasBatch = true;
      else if (hasBatch) break;
      if (!frame.put(entry.bytes)) break;
    }
    return index - this.#head;
  }

  /** Drops what the last `fill` took, because its frame was taken by the transport. */
  consume(count: number): void {
    let bytes = this.#partBytes;
    this.#cutBytes += this.#partBytes;
    this.#partBytes = 0;
    const end = this.#head + count;
    for (; this.#head < end; this.#head += 1) {
      bytes += this.#entries[this.#head]?.bytes.byteLength ?? 0;
    }
    if (this.#cutBytes > 0 && this.#cutBytes === this.#entries[this.#head]?.bytes.byteLength) {
      this.#head += 1;
      this.#cutBytes = 0;
    }
    this.#bytes -= bytes;
    this.#leftBytes += bytes;
    assert(this.#head <= this.#entries.length, "no more is consumed than was queued");
    if (this.#head === this.#entries.length) {
      assert(this.#bytes === 0, "empty lanes owe no bytes");
      this.#entries = NO_ENTRIES;
      this.#head = 0;
    } else if (this.#head >= COMPACT_ENTRIES_MIN && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Takes back everything that waits of these topics: the client wants it no more. */
  takeBack(topicIds: ReadonlySet<number>): void {
    this.#takeListed();
    const kept: Entry[] = [];
    const oldest = this.#entries[this.#head];
    if (oldest !== undefined && this.#cutBytes > 0 && topicIds.has(oldest.topicId)) {
      const bytes = voidPart(PART_LANES.topics);
      kept.push({ ...NO_BATCH, bytes, topicId: 0 });
      this.#bytes += bytes.byteLength + this.#cutBytes;
      this.#cutBytes = 0;
    }
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      assert(entry !== undefined, "entries from the head on are there");
      if (topicIds.has(entry.topicId)) this.#bytes -= entry.bytes.byteLength;
      else kept.push(entry);
    }
    assert(kept.length > 0 || this.#bytes === 0, "empty lanes owe no bytes");
    this.#entries = kept.length === 0 ? NO_ENTRIES : kept;
    this.#head = 0;
  }

  /**
   * Takes back the news of these topics that waits, but for what is before a message or a state of
   * its topic, or has left in part. Says for each topic of which something was taken back where
   * that began: the sequence that the client then has.
   */
  shed(topicIds: ReadonlySet<number>): Map<number, number> {
    this.#takeListed();
    /** Of each topic, the last entry that stays in any case. */
    const stays = new Map<number, number>();
    const oldest = this.#entries[this.#head];
    if (oldest !== undefined && this.#cutBytes > 0) stays.set(oldest.topicId, this.#head);
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const { topicId, isState } = this.#entries[index] as Entry;
      if (isState && topicIds.has(topicId)) stays.set(topicId, index);
    }
    const positions = new Map<number, number>();
    const kept: Entry[] = [];
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index] as Entry;
      const { topicId, events, lastSequence } = entry;
      if (!topicIds.has(topicId) || index <= (stays.get(topicId) ?? -1)) {
        kept.push(entry);
        continue;
      }
      this.#bytes -= entry.bytes.byteLength;
      if (events > 0 && !positions.has(topicId)) positions.set(topicId, lastSequence - events);
    }
    assert(kept.length > 0 || this.#bytes === 0, "empty lanes owe no bytes");
    this.#entries = kept.length === 0 ? NO_ENTRIES : kept;
    this.#head = 0;
    return positions;
  }

  /**
   * Drops everything and accepts nothing more. `onOwed` hears of each batch that was owed.
   */
  close(onOwed: (labels: SharedBatch["labels"], events: number) => void): void {
    this.#takeListed();
    this.#closed = true;
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry !== undefined && entry.events > 0) onOwed(entry.labels, entry.events);
    }
    this.#entries = NO_ENTRIES;
    this.#head = 0;
    this.#bytes = 0;
    if (this.seat !== undefined) this.seat.fanOut.close(this.seat.list);
  }

  /** From now on nothing leaves the list by itself; what has left is counted. */
  endQuick(): void {
    const { seat } = this;
    if (seat === undefined || this.#closed) return;
    const sentBytes = seat.fanOut.quick.end(seat.list);
    if (sentBytes === 0) return;
    this.#leftBytes += sentBytes;
    this.#listener.onListSent(sentBytes);
  }

  /** The entries, to be added to. */
  #ownEntries(): Entry[] {
    if (this.#entries === NO_ENTRIES) this.#entries = [];
    return this.#entries as Entry[];
  }

  /** What is in the list comes behind the entries. */
  #takeListed(): void {
    const { seat } = this;
    if (seat === undefined || this.#closed) return;
    this.endQuick();
    if (seat.fanOut.countOf(seat.list) === 0) return;
    const bytes = seat.fanOut.take(seat.list, this.#ownEntries());
    this.#bytes += bytes;
    this.#listener.onListTaken(bytes);
  }
}
