import type { Flusher } from "./flusher.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { SharedBatch } from "../../topics/shared-batch.ts";
import type { Connection } from "../../transport/transport.ts";
import { SendResult } from "../../transport/transport.ts";

/** How much may be owed to a session, and what is compressed. */
export type OutboundLimits = {
  /** Queued here and buffered by the transport together. */
  readonly outboundBytesMax: number;
  /** Buffered by the transport before we wait for it to drain. */
  readonly writeAheadBytesMax: number;
  readonly compressBytesMin: number;
};

/** What the session does about a client that reads too slowly. */
export type OutboundListener = {
  /** Half of the limit is owed; not called again before less than a quarter is. */
  onLag(owedBytes: number): void;
  /** The limit is exceeded. The session closes; nothing more is accepted. */
  onSlow(owedBytes: number): void;
};

const NO_LABELS = { venue: "", channel: "" };
/** Frames are cut here, so that a reply never waits behind more than one of them. */
const ASSEMBLED_BYTES_MAX = 256 * 1024;
/** Consumed entries at the head of the queue that are worth moving the rest for. */
const COMPACT_ENTRIES_MIN = 1_024;

/**
 * What one session is owed. Batches are references to shared bytes; a flush copies everything owed
 * into one frame, control messages first. Nothing is dropped: a client is served whole or told and
 * closed.
 */
export class Outbound {
  readonly #connection: Connection;
  readonly #limits: OutboundLimits;
  readonly #flusher: Flusher;
  readonly #metrics: GatewayMetrics;
  readonly #listener: OutboundListener;
  #control: Uint8Array[] = [];
  #batches: SharedBatch[] = [];
  #head = 0;
  #queuedBytes = 0;
  #startBytes = 0;
  /** Pushed since the last flush, starts left out. */
  #newsBytes = 0;
  #lagging = false;
  #closed = false;
  /** Set when the client accepted compression in its Hello. */
  compress = false;
  /** Owned by the flusher. */
  scheduled = false;

  constructor(
    connection: Connection,
    limits: OutboundLimits,
    parts: { readonly flusher: Flusher; readonly metrics: GatewayMetrics },
    listener: OutboundListener,
  ) {
    this.#connection = connection;
    this.#limits = limits;
    this.#flusher = parts.flusher;
    this.#metrics = parts.metrics;
    this.#listener = listener;
  }

  /** Queued here plus buffered by the transport. */
  get owedBytes(): number {
    return this.#queuedBytes + this.#connection.bufferedBytes();
  }

  /**
   * Queues whole elements of ServerFrame.messages. They overtake batches. Takes ownership of
   * `bytes`.
   */
  pushControl(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#control.push(bytes);
    this.#newsBytes += bytes.byteLength;
    this.#queuedBytes += bytes.byteLength;
    if (!this.scheduled) this.#flusher.schedule(this);
  }

  /**
   * Sends whole elements of ServerFrame.messages at once, ahead of everything that is queued, as
   * long as the transport takes anything: a client that reads too slowly is to hear it in time.
   */
  sendUrgent(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#connection.send(bytes, false) === SendResult.Dropped) this.pushControl(bytes);
    else this.#flusher.sent(bytes.byteLength, false);
  }

  /** Queues a batch by reference. */
  pushBatch(batch: SharedBatch): void {
    this.#newsBytes += batch.bytes.byteLength;
    this.#enqueue(batch);
  }

  /**
   * Queues elements of ServerFrame.messages behind every batch that is queued now. They start a
   * new frame, because within a frame messages are read before batches. Takes ownership of `bytes`.
   */
  pushOrdered(bytes: Uint8Array): void {
    this.#newsBytes += bytes.byteLength;
    const none = { topicId: 0, events: 0, firstSequence: 0, lastSequence: 0, labels: NO_LABELS };
    this.#enqueue({ bytes, ...none });
  }

  /** Takes back what is queued of topics that the client wants no more. Not counted as a loss. */
  forget(topicIds: ReadonlySet<number>): void {
    const kept: SharedBatch[] = [];
    for (let index = this.#head; index < this.#batches.length; index += 1) {
      const batch = this.#batches[index];
      if (batch === undefined) continue;
      if (topicIds.has(batch.topicId)) this.#queuedBytes -= batch.bytes.byteLength;
      else kept.push(batch);
    }
    this.#batches = kept;
    this.#head = 0;
  }

  /**
   * Queues the start of a subscription. Its bytes do not count against the limit until they have
   * left: a client that asks for a thousand books at once is not slow.
   */
  pushStart(batches: readonly SharedBatch[]): void {
    for (const batch of batches) {
      this.#startBytes += batch.bytes.byteLength;
      this.#enqueue(batch);
    }
  }

  /** The transport has room again. */
  onDrain(): void {
    if (!this.#closed && this.#queuedBytes > 0 && !this.scheduled) this.#flusher.schedule(this);
  }

  /** Writes as much as the transport may take now. Called by the flusher. */
  flush(): void {
    if (this.#closed) return;
    // What is owed besides the news is what is left of the starts.
    this.#startBytes = Math.min(this.#startBytes, Math.max(0, this.owedBytes - this.#newsBytes));
    this.#newsBytes = 0;
    while (this.#queuedBytes > 0) {
      if (this.#connection.bufferedBytes() >= this.#limits.writeAheadBytesMax) break;
      if (!this.#sendFrame()) break;
    }
    this.#judge();
  }

  /** Drops what is queued and counts it. Nothing is accepted or sent afterwards. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let index = this.#head; index < this.#batches.length; index += 1) {
      const batch = this.#batches[index];
      if (batch === undefined || batch.events === 0) continue;
      this.#metrics.undelivered.inc(batch.labels, batch.events);
    }
    this.#control = [];
    this.#batches = [];
    this.#head = 0;
    this.#queuedBytes = 0;
  }

  #enqueue(batch: SharedBatch): void {
    if (this.#closed) return;
    this.#batches.push(batch);
    this.#queuedBytes += batch.bytes.byteLength;
    if (!this.scheduled) this.#flusher.schedule(this);
  }

  /** Sends one frame; false if the transport did not take it. */
  #sendFrame(): boolean {
    const { scratch } = this.#flusher;
    let bytes = 0;
    let control = 0;
    let batch = this.#head;
    for (; control < this.#control.length; control += 1) {
      const next = this.#control[control];
      if (next === undefined || !fits(bytes, next)) break;
      bytes = scratch.put(next, bytes);
    }
    for (; control === this.#control.length && batch < this.#batches.length; batch += 1) {
      const next = this.#batches[batch];
      if (next === undefined || !fits(bytes, next.bytes)) break;
      if (next.topicId === 0 && batch > this.#head) break;
      bytes = scratch.put(next.bytes, bytes);
    }
    const compress = this.compress && bytes >= this.#limits.compressBytesMin;
    const result = this.#connection.send(scratch.bytes.subarray(0, bytes), compress);
    if (result === SendResult.Dropped) return false;
    this.#flusher.sent(bytes, compress);
    this.#consume(control, batch, bytes);
    return true;
  }

  #consume(control: number, batch: number, bytes: number): void {
    this.#queuedBytes -= bytes;
    if (control === this.#control.length) this.#control.length = 0;
    else this.#control.splice(0, control);
    this.#head = batch;
    if (this.#head === this.#batches.length) {
      this.#batches.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_ENTRIES_MIN && this.#head * 2 >= this.#batches.length) {
      this.#batches.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #judge(): void {
    const owed = this.owedBytes;
    const { outboundBytesMax } = this.#limits;
    const late = owed - Math.min(this.#startBytes, owed);
    if (late > outboundBytesMax) {
      this.#listener.onSlow(owed);
    } else if (!this.#lagging && late * 2 > outboundBytesMax) {
      this.#lagging = true;
      this.#listener.onLag(owed);
    } else if (this.#lagging && owed * 4 < outboundBytesMax) {
      this.#lagging = false;
    }
  }
}

/** A single entry always fits: it cannot be cut. */
function fits(bytes: number, next: Uint8Array): boolean {
  return bytes === 0 || bytes + next.byteLength <= ASSEMBLED_BYTES_MAX;
}
