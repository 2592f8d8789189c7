import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { Connection } from "../../transport/transport.ts";
import { SendResult } from "../../transport/transport.ts";
import type { Flushable, Flusher } from "./flusher.ts";
import { MessageLane } from "./message-lane.ts";
import { SlowPolicy } from "./slow-policy.ts";
import { TopicLanes } from "./topic-lanes.ts";
import type { LaneListener, TopicLane } from "./topic-lanes.ts";

/** How much may be owed to a session, and what is compressed. */
export type OutboundLimits = {
  /** Queued here and buffered by the transport together. */
  readonly outboundBytesMax: number;
  /** Buffered by the transport before we wait for it to drain. */
  readonly writeAheadBytesMax: number;
  readonly compressBytesMin: number;
};

/** What the session does about a client that reads too slowly. Called at the end of a flush. */
type OutboundListener = {
  /** Half of the limit is owed. */
  onLag(owedBytes: number): void;
  /** The limit is exceeded; the session closes. */
  onSlow(owedBytes: number): void;
};

/**
 * What one session is owed, in lanes: control first, then replies of calls, then market data with a
 * lane for each topic. A flush copies everything owed into one frame, or into several where one
 * would grow too large; each frame begins with the most urgent lane, so that a reply overtakes bulk
 * data at the next frame. Nothing is dropped: a client is served whole, or told and closed.
 *
 * What holds, and what enforces it:
 * 1. Within a lane nothing overtakes: lanes are queues, and `consume` takes from their heads.
 * 2. A frame carries market data only with everything that is more urgent: asserted per frame.
 * 3. What is owed is what was queued and has not left: lanes count what enters and what leaves, and
 *    assert that nothing is owed when they are empty.
 * 4. After `close` nothing is queued and nothing is sent: lanes and sends ask first.
 */
export class Outbound implements Flushable, LaneListener {
  readonly #connection: Connection;
  readonly #limits: OutboundLimits;
  readonly #flusher: Flusher;
  readonly #metrics: GatewayMetrics;
  readonly #listener: OutboundListener;
  readonly #slowPolicy: SlowPolicy;
  readonly #control = new MessageLane();
  readonly #replies = new MessageLane();
  readonly #topics: TopicLanes;
  #closed = false;
  /** Set when the client accepted compression in its Hello. */
  compress = false;
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
    this.#slowPolicy = new SlowPolicy(limits.outboundBytesMax);
    this.#topics = new TopicLanes(this);
  }

  /** Queued here plus buffered by the transport. */
  get owedBytes(): number {
    return this.#queuedBytes + this.#connection.bufferedBytes();
  }

  /**
   * Queues whole elements of ServerFrame.messages. They overtake replies and market data. Takes
   * ownership of `bytes`.
   */
  pushControl(bytes: Uint8Array): void {
    this.#pushMessage(this.#control, bytes);
  }

  /** Queues the reply of a call. It overtakes market data. Takes ownership of `bytes`. */
  pushReply(bytes: Uint8Array): void {
    this.#pushMessage(this.#replies, bytes);
  }

  /** The lane of one more topic. */
  openTopicLane(topicId: number): TopicLane {
    return this.#topics.open(topicId);
  }

  /** Takes back what waits of these topics. Not counted as a loss: the client wants it no more. */
  takeBack(topicIds: ReadonlySet<number>): void {
    this.#topics.takeBack(topicIds);
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

  /** For the lanes: something that is not a start was queued. */
  onNews(bytes: number): void {
    this.#slowPolicy.onNews(bytes);
    this.#schedule();
  }

  /** For the lanes: part of the start of a subscription was queued. */
  onStart(bytes: number): void {
    this.#slowPolicy.onStart(bytes);
    this.#schedule();
  }

  /** The transport has room again. */
  onDrain(): void {
    if (!this.#closed && this.#queuedBytes > 0) this.#schedule();
  }

  /** Writes as much as the transport may take now. Called by the flusher. */
  flush(): void {
    if (this.#closed) return;
    this.#slowPolicy.beginFlush(this.owedBytes);
    while (this.#queuedBytes > 0) {
      if (this.#connection.bufferedBytes() >= this.#limits.writeAheadBytesMax) break;
      if (!this.#sendFrame()) break;
    }
    if (this.#closed) return;
    const owedBytes = this.owedBytes;
    const verdict = this.#slowPolicy.endFlush(owedBytes);
    if (verdict === "lags") this.#listener.onLag(owedBytes);
    else if (verdict === "too-slow") this.#listener.onSlow(owedBytes);
  }

  /** Drops what is queued and counts it. Nothing is accepted or sent afterwards. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#topics.close((labels, events) => this.#metrics.undelivered.inc(labels, events));
    this.#control.clear();
    this.#replies.clear();
  }

  get #queuedBytes(): number {
    return this.#control.bytes + this.#replies.bytes + this.#topics.bytes;
  }

  #pushMessage(lane: MessageLane, bytes: Uint8Array): void {
    if (this.#closed) return;
    lane.push(bytes);
    this.onNews(bytes.byteLength);
  }

  #schedule(): void {
    if (!this.scheduled) this.#flusher.schedule(this);
  }

  /** Sends one frame; false if the transport did not take it. */
  #sendFrame(): boolean {
    const { frame } = this.#flusher;
    frame.begin();
    const control = this.#control.fill(frame);
    const allControl = control === this.#control.length;
    const replies = allControl ? this.#replies.fill(frame) : 0;
    const allReplies = allControl && replies === this.#replies.length;
    const messageBytes = frame.length;
    const batches = allReplies ? this.#topics.fill(frame) : 0;
    const bytes = frame.length;
    const compress = this.compress && bytes >= this.#limits.compressBytesMin;
    if (this.#connection.send(frame.bytes, compress) === SendResult.Dropped) return false;
    this.#flusher.sent(bytes, compress);
    // The transport may have found out while it sent that the client is gone.
    if (this.#closed) return false;
    if (control > 0) this.#control.consume(control);
    if (replies > 0) this.#replies.consume(replies);
    if (batches > 0) {
      assert(this.#control.length + this.#replies.length === 0, "market data leaves last");
      this.#topics.consume(batches, bytes - messageBytes);
    }
    return true;
  }
}
