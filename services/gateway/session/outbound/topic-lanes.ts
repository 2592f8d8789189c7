import assert from "node:assert/strict";
import type { SharedBatch } from "../../topics/shared-batch.ts";
import type { FrameBuffer } from "./frame-buffer.ts";

/** A batch, or a message that keeps its place among the batches of its topic. */
type Entry = {
  readonly bytes: Uint8Array;
  /** 0 marks a message. */
  readonly events: number;
  readonly labels: SharedBatch["labels"];
};

const NO_LABELS = { venue: "", channel: "" };
/** Consumed entries at the head of the queue that are worth moving the rest for. */
const COMPACT_ENTRIES_MIN = 1_024;

/** Hears that a lane has got something to send. */
export type LaneListener = {
  /** News of a topic: a batch, or a message about it. */
  onNews(bytes: number): void;
  /** Part of the start of a subscription. */
  onStart(bytes: number): void;
};

/** What one session is owed of one topic. Made by `TopicLanes.open`. */
export class TopicLane {
  readonly #lanes: TopicLanes;
  /** Bytes that wait. Owned by the lanes. */
  bytes = 0;

  constructor(lanes: TopicLanes) {
    this.#lanes = lanes;
  }

  /** Queues a batch by reference: its bytes are shared by every session. */
  push(batch: SharedBatch): void {
    this.#lanes.pushNews(this, batch);
  }

  /** Queues the batches that a subscription starts with. */
  pushStart(batches: readonly SharedBatch[]): void {
    for (const batch of batches) this.#lanes.pushStart(this, batch);
  }

  /**
   * Queues whole elements of ServerFrame.messages behind every batch of the topic that is queued
   * now. Takes ownership of `message`.
   */
  pushMessage(message: Uint8Array): void {
    this.#lanes.pushNews(this, { bytes: message, events: 0, labels: NO_LABELS });
  }
}

/**
 * The market data that one session is owed: a lane for each topic, so that what is owed of one
 * topic can be counted and taken back without the others. All lanes share one queue in order of
 * arrival, because a client should see two topics in the order in which the gateway saw them.
 */
export class TopicLanes {
  readonly #listener: LaneListener;
  #entries: Entry[] = [];
  /** The lane of the entry at the same index. */
  #owners: TopicLane[] = [];
  #head = 0;
  #bytes = 0;
  #closed = false;

  constructor(listener: LaneListener) {
    this.#listener = listener;
  }

  /** Bytes that wait in all lanes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A lane for one more topic. */
  open(): TopicLane {
    return new TopicLane(this);
  }

  /** For TopicLane. */
  pushNews(lane: TopicLane, entry: Entry): void {
    if (this.#closed) return;
    this.#enqueue(lane, entry);
    this.#listener.onNews(entry.bytes.byteLength);
  }

  /** For TopicLane. */
  pushStart(lane: TopicLane, entry: Entry): void {
    if (this.#closed) return;
    this.#enqueue(lane, entry);
    this.#listener.onStart(entry.bytes.byteLength);
  }

  /**
   * Copies entries into the frame while they fit; says how many. They stay until `consume`. A
   * message ends the frame before it if that has batches, because whoever decodes a frame reads its
   * messages before its batches.
   */
  fill(frame: FrameBuffer): number {
    let index = this.#head;
    let hasBatch = false;
    for (; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      assert(entry !== undefined, "entries from the head on are there");
      if (entry.events === 0 && hasBatch) break;
      if (!frame.put(entry.bytes)) break;
      hasBatch ||= entry.events > 0;
    }
    return index - this.#head;
  }

  /** Drops the oldest entries, because their frame was taken by the transport. */
  consume(count: number): void {
    const end = this.#head + count;
    assert(end <= this.#entries.length, "no more is consumed than was queued");
    for (; this.#head < end; this.#head += 1) this.#leave(this.#head);
    if (this.#head === this.#entries.length) {
      assert(this.#bytes === 0, "empty lanes owe no bytes");
      this.#entries.length = 0;
      this.#owners.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_ENTRIES_MIN && this.#head * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#owners.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Takes back everything that waits in these lanes: the client wants it no more. */
  takeBack(lanes: ReadonlySet<TopicLane>): void {
    if ([...lanes].every((lane) => lane.bytes === 0)) return;
    const entries: Entry[] = [];
    const owners: TopicLane[] = [];
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      const owner = this.#owners[index];
      assert(entry !== undefined && owner !== undefined, "every entry has an owner");
      if (lanes.has(owner)) {
        this.#leave(index);
      } else {
        entries.push(entry);
        owners.push(owner);
      }
    }
    this.#entries = entries;
    this.#owners = owners;
    this.#head = 0;
  }

  /**
   * Drops everything and accepts nothing more. `onUndelivered` hears of each batch that was owed.
   */
  close(onUndelivered: (labels: SharedBatch["labels"], events: number) => void): void {
    this.#closed = true;
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry !== undefined && entry.events > 0) onUndelivered(entry.labels, entry.events);
    }
    this.#entries = [];
    this.#owners = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #enqueue(lane: TopicLane, entry: Entry): void {
    this.#entries.push(entry);
    this.#owners.push(lane);
    lane.bytes += entry.bytes.byteLength;
    this.#bytes += entry.bytes.byteLength;
  }

  /** Counts one entry out of its lane. */
  #leave(index: number): void {
    const entry = this.#entries[index];
    const owner = this.#owners[index];
    assert(entry !== undefined && owner !== undefined, "every entry has an owner");
    owner.bytes -= entry.bytes.byteLength;
    this.#bytes -= entry.bytes.byteLength;
    assert(owner.bytes >= 0 && this.#bytes >= 0, "a lane never owes less than nothing");
  }
}
