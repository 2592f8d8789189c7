import { assert } from "#core/assert.ts";
import type { GatewayLatency, GatewayMetrics } from "../../metrics.ts";
import type { Connection } from "../../transport/transport.ts";
import { SendResult } from "../../transport/transport.ts";
import { BulkReplies } from "./bulk-replies.ts";
import type { Flushable, Flusher } from "./flusher.ts";
import { BULK_BYTES, Flight } from "./flight.ts";
import type { FlightLimits } from "./flight.ts";
import type { Watched } from "./lag-watch.ts";
import { EMPTY_LANE, laneWith, laneWithout } from "./message-lane.ts";
import { SlowPolicy } from "./slow-policy.ts";
import type { SlowLimits } from "./slow-policy.ts";
import { TopicLanes } from "./topic-lanes.ts";
import type { LaneListener } from "./topic-lanes.ts";

/**
 * A frame that is larger is one batch, the snapshot of a deep book; deflating it would hold
 * everybody up.
 */
const COMPRESS_BYTES_MAX = 512 * 1024;
/** A reply that is larger is overtaken by smaller ones. */
const BULK_BYTES_MIN = 16 * 1024;

/** How much may be owed to a session and under way to it, and what is compressed. */
export type OutboundLimits = FlightLimits &
  SlowLimits & {
    /** Buffered by the transport before we wait for it to drain. */
    readonly writeAheadBytesMax: number;
    readonly compressBytesMin: number;
  };

/** How a client falls behind. */
export type Lateness = {
  /** Queued here and buffered by the transport. */
  readonly owedBytes: number;
  /** Since when the oldest thing is owed that the client may not have. */
  readonly lagMs: number;
};

/** What the session does about a client that reads too slowly. */
export type OutboundListener = {
  /** The client is to be told. */
  onLag(lateness: Lateness): void;
  /** The client lagged, and does so no more. */
  onRecovered(): void;
  /** A limit is exceeded; the session closes, unless it finds a way to owe less. */
  onSlow(lateness: Lateness): void;
  /** Sends a message that the client answers with the same number; false if that cannot be now. */
  sendProbe(number: number): boolean;
};

/**
 * What one session is owed, in lanes: control first, then replies of calls, then large replies and
 * market data with a lane for each topic, which take turns. A flush copies everything owed into one
 * frame, or into several where one would grow too large; each frame begins with the most urgent
 * lane, so that a reply overtakes bulk data at the next frame. For a client that puts pieces
 * together no frame is large. Nothing is dropped: a client is served whole, or told and closed. How
 * much may be under way is limited by what the client has answered for (see Flight), so that what
 * waits, waits here.
 *
 * What holds, and what enforces it:
 * 1. Within a lane nothing overtakes: lanes are queues, and `consume` takes from their heads.
 * 2. A frame carries market data only with everything that is more urgent: asserted per frame.
 * 3. What is owed is what was queued and has not left: lanes count what enters and what leaves, and
 *    assert that nothing is owed when they are empty.
 * 4. After `close` nothing is queued and nothing is sent: lanes and sends ask first.
 */
export class Outbound implements Flushable, LaneListener, Watched {
  readonly #connection: Connection;
  readonly #limits: OutboundLimits;
  readonly #flusher: Flusher;
  readonly #metrics: GatewayMetrics;
  readonly #listener: OutboundListener;
  readonly #slowPolicy: SlowPolicy;
  /** Of its own since there was something to send but messages. */
  #flight: Flight;
  #control = EMPTY_LANE;
  #replies = EMPTY_LANE;
  /** Made with the first large reply. */
  #bulk: BulkReplies | undefined;
  readonly #topics: TopicLanes;
  /** By the transport, as known within a flush: to ask it costs as much as half of a frame. */
  #bufferedBytes = 0;
  #closed = false;
  #hasReadSinceLag = false;
  /** Where the way of the oldest batch of the last frame is counted. */
  #sentLatency: GatewayLatency | undefined;
  /** The last frame with something large carried a reply, so the next is for market data. */
  #wasReply = false;
  /** Set when the client accepted compression in its Hello. */
  compress = false;
  /** Set when the client puts pieces together, as it says in its Hello. */
  mayCut = false;
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
    this.#slowPolicy = new SlowPolicy(limits);
    this.#flight = Flight.untouched(limits);
    this.#topics = new TopicLanes(this, parts.flusher.fanOut);
  }

  /** Queued here plus buffered by the transport. */
  get owedBytes(): number {
    return this.#queuedBytes + this.#connection.bufferedBytes();
  }

  /** Market data that was queued since the session began, but for what was taken back. */
  get queuedMarketBytes(): number {
    return this.#topics.end;
  }

  /**
   * Queues whole elements of ServerFrame.messages. They overtake replies and market data. Takes
   * ownership of `bytes`.
   */
  pushControl(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#control = laneWith(this.#control, bytes);
    this.onNews(bytes.byteLength);
  }

  /** Bytes of replies that wait. */
  get replyBytes(): number {
    return this.#replies.bytes + this.#bulkBytes;
  }

  /**
   * Queues the reply of a call. A small one overtakes market data, and all but what it follows of
   * its own call. Takes ownership of `bytes`.
   */
  pushReply(callId: number, bytes: Uint8Array): void {
    if (this.#closed) return;
    if (bytes.byteLength <= BULK_BYTES_MIN && this.#bulk?.has(callId) !== true) {
      this.#replies = laneWith(this.#replies, bytes);
      this.onNews(bytes.byteLength);
      return;
    }
    this.#bulk ??= new BulkReplies();
    this.#bulk.push(callId, bytes);
    // As with a book that was asked for: who asks for much is not slow.
    this.onStart(bytes.byteLength);
  }

  /** Where subscriptions put what the session is owed of their topics. */
  get lanes(): TopicLanes {
    return this.#topics;
  }

  /** Takes back what waits of these topics. Not counted as a loss: the client wants it no more. */
  takeBack(topicIds: ReadonlySet<number>): void {
    this.#topics.takeBack(topicIds);
    this.#flight.takenBack(this.#topics.end);
  }

  /** Takes back the news that waits of these topics: see TopicLanes. */
  shed(topicIds: ReadonlySet<number>): ReadonlyMap<number, number> {
    const positions = this.#topics.shed(topicIds);
    this.#flight.takenBack(this.#topics.end);
    return positions;
  }

  /** The client answered a probe: it has everything that was sent before it. */
  onAnswer(number: number, nowUs: number): void {
    if (this.#closed) return;
    this.#topics.endQuick();
    const lagUs = this.#flight.answered(number, nowUs);
    if (lagUs === undefined) return;
    this.#metrics.lagSeconds.observe(lagUs / 1e6);
    this.#hasReadSinceLag = true;
    if (!this.#flight.isOpen && !this.#slowPolicy.isLagging) this.#flusher.lags.leave(this);
    if (this.#hasToFlush) this.#schedule();
    else this.#goOn(nowUs);
  }

  /** Nothing waits, so that a flush would only find out what may pass from now on. */
  #goOn(nowUs: number): void {
    this.#flight.begin(0, nowUs);
    this.#bufferedBytes = this.#connection.bufferedBytes();
    this.#letPass(nowUs, this.#flight.lagUs(nowUs));
  }

  /**
   * Sends whole elements of ServerFrame.messages at once, ahead of everything that is queued, as
   * long as the transport takes anything: a client that reads too slowly is to hear it in time.
   */
  sendUrgent(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#topics.endQuick();
    const result = this.#connection.send(bytes, false);
    if (result !== SendResult.Sent) this.#bufferedBytes = this.#connection.bufferedBytes();
    if (result === SendResult.Dropped) this.pushControl(bytes);
    else this.#flusher.sent(bytes.byteLength, false);
  }

  /** For the lanes: something that is not a start was queued. */
  onNews(bytes: number): void {
    this.#topics.endQuick();
    this.#slowPolicy.onNews(bytes);
    this.#schedule();
  }

  /** For the lanes: batches may wait, or the transport has not taken all that left. */
  onListDue(nowUs: number): void {
    this.flush(nowUs);
  }

  /** For the lanes: it left by the way that `#letPass` has opened. */
  onListSent(bytes: number): void {
    this.#flight.sent(bytes);
  }

  /** For the lanes: these were not starts. */
  onListTaken(bytes: number): void {
    this.#slowPolicy.onNews(bytes);
  }

  /** For the lanes: part of the start of a subscription was queued. */
  onStart(bytes: number): void {
    this.#topics.endQuick();
    this.#slowPolicy.onStart(bytes);
    this.#schedule();
  }

  /** The transport has room again. */
  onDrain(): void {
    if (!this.#closed && this.#hasToFlush) this.#schedule();
  }

  /** Writes as much as the transport and the client may take now. Called by the flusher. */
  flush(nowUs: number): void {
    if (this.#closed) return;
    // A probe that follows a frame leaves with it, because a write costs more than what is in it.
    if (this.#flight.isPlaceDue(nowUs)) this.#connection.together(() => this.#flush(nowUs));
    else this.#flush(nowUs);
  }

  #flush(nowUs: number): void {
    this.#bufferedBytes = this.#connection.bufferedBytes();
    this.#slowPolicy.beginFlush(this.#queuedBytes + this.#bufferedBytes);
    const bytes = this.#bulkBytes + this.#topics.bytes;
    if (bytes > 0 && this.#flight.isUntouched) this.#flight = new Flight(this.#limits);
    this.#flight.begin(bytes, nowUs);
    this.#probe(nowUs);
    while (this.#queuedBytes > 0) {
      if (this.#bufferedBytes >= this.#limits.writeAheadBytesMax) break;
      if (!this.#sendFrame(nowUs)) break;
      this.#probe(nowUs);
    }
    if (this.#closed) return;
    // What waits behind the start of a subscription does not wait for the client.
    const { begin, end } = this.#topics;
    this.#flight.owes(this.#slowPolicy.hasStarts ? begin : end, nowUs);
    this.#probe(nowUs);
    if (this.#closed) return;
    const lagUs = this.#judge(nowUs, this.#queuedBytes + this.#bufferedBytes);
    if (!this.#closed) this.#letPass(nowUs, lagUs);
  }

  /**
   * Lets what comes into the list leave without us, while a flush would do nothing but send it:
   * nothing waits, the client keeps up, and neither a probe nor a verdict is due.
   */
  #letPass(nowUs: number, lagUs: number): void {
    const { seat } = this.#topics;
    const { isLagging, hasStarts } = this.#slowPolicy;
    if (seat === undefined || isLagging || hasStarts) return;
    if (this.#queuedBytes > 0 || this.#bufferedBytes > 0) return;
    const { compressBytesMin, lagNoticeMs, lagMsMax } = this.#limits;
    const frameBytes = this.compress ? Math.min(BULK_BYTES, compressBytesMin - 1) : BULK_BYTES;
    const verdictUs = nowUs - lagUs + Math.min(lagNoticeMs, lagMsMax) * 1_000;
    const untilUs = Math.min(this.#flight.quietUntilUs, verdictUs);
    const bytes = this.#flight.quietBytes(nowUs);
    seat.fanOut.quick.allow(seat.list, this.#connection, { bytes, frameBytes, untilUs });
  }

  /** For how long the oldest thing has been owed that the client may not have. */
  lagUs(nowUs: number): number {
    return this.#flight.lagUs(nowUs);
  }

  /** Whether the client was told that it reads too slowly, and has not recovered. */
  get isLagging(): boolean {
    return this.#slowPolicy.isLagging;
  }

  /** Called at the end of a flush, and now and then while something is under way. */
  judge(nowUs: number): number {
    return this.#judge(nowUs, this.owedBytes);
  }

  #judge(nowUs: number, owedBytes: number): number {
    const lagUs = this.#flight.lagUs(nowUs);
    const lagMs = Math.floor(lagUs / 1_000);
    const hasRead = this.#hasReadSinceLag || !this.#flight.isOpen;
    const verdict = this.#slowPolicy.judge(owedBytes, lagMs, hasRead);
    if (verdict === "lags") this.#hasReadSinceLag = false;
    if (this.#slowPolicy.isLagging) this.#flusher.lags.watch(this);
    if (verdict === "lags") this.#listener.onLag({ owedBytes, lagMs });
    else if (verdict === "recovers") {
      if (!this.#flight.isOpen) this.#flusher.lags.leave(this);
      this.#listener.onRecovered();
    } else if (verdict === "too-slow") this.#listener.onSlow({ owedBytes, lagMs });
    return lagUs;
  }

  forgive(lostUs: number): void {
    this.#flight.forgive(lostUs);
  }

  /** Drops what is queued and counts it. Nothing is accepted or sent afterwards. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#flusher.lags.leave(this);
    this.#topics.close((labels, events) => this.#metrics.owedAtEnd.inc(labels, events));
    this.#control = EMPTY_LANE;
    this.#replies = EMPTY_LANE;
    this.#bulk = undefined;
  }

  /** A client that lags is judged again though nothing waits for it any more. */
  get #hasToFlush(): boolean {
    return this.#queuedBytes > 0 || this.#slowPolicy.isLagging;
  }

  get #bulkBytes(): number {
    return this.#bulk?.bytes ?? 0;
  }

  get #queuedBytes(): number {
    return this.#control.bytes + this.replyBytes + this.#topics.bytes;
  }

  #schedule(): void {
    if (!this.scheduled) this.#flusher.schedule(this);
  }

  /** Sends a probe if one is wanted. */
  #probe(nowUs: number): void {
    const { begin } = this.#topics;
    if (this.#closed) return;
    if (this.#flight.wantsProbe(begin) && this.#listener.sendProbe(this.#flight.nextNumber)) {
      this.#flight.probed(begin, nowUs, this.#sentLatency?.socketToClient);
    }
    if (this.#flight.isOpen) this.#flusher.lags.watch(this);
  }

  /** Sends one frame; false if there is none to send now, or the transport did not take it. */
  #sendFrame(nowUs: number): boolean {
    const { frame } = this.#flusher;
    const mayCarry = this.#flight.hasRoom(nowUs);
    if (!mayCarry && this.#control.length + this.#replies.length === 0) return false;
    frame.begin();
    const control = this.#control.fill(frame);
    const allControl = control === this.#control.length;
    const replies = allControl ? this.#replies.fill(frame) : 0;
    const allReplies = allControl && replies === this.#replies.length;
    const messageBytes = frame.length;
    frame.limitRest(this.#flight.frameBytes(nowUs));
    const hasReply = this.#bulkBytes > 0 && (this.#topics.bytes === 0 || !this.#wasReply);
    const large = hasReply && this.#bulk !== undefined ? this.#bulk : this.#topics;
    const isReply = large !== this.#topics;
    const entries = allReplies && mayCarry ? large.fill(frame, this.mayCut) : 0;
    const bytes = frame.length;
    const largeBytes = bytes - messageBytes;
    const isWorthIt = bytes >= this.#limits.compressBytesMin && bytes <= COMPRESS_BYTES_MAX;
    const { compression } = this.#flusher;
    const compress = this.compress && isWorthIt && compression.allows();
    const result = compress
      ? compression.send(this.#connection, frame.bytes)
      : this.#connection.send(frame.bytes, false);
    this.#bufferedBytes = result === SendResult.Sent ? 0 : this.#connection.bufferedBytes();
    if (result === SendResult.Dropped) return false;
    this.#flusher.sent(bytes, compress);
    // The transport may have found out while it sent that the client is gone.
    if (this.#closed) return false;
    this.#control = laneWithout(this.#control, control);
    this.#replies = laneWithout(this.#replies, replies);
    if (largeBytes > 0) {
      assert(this.#control.length + this.#replies.length === 0, "what is large leaves last");
      if (!isReply) this.#measureOldest();
      large.consume(entries);
      if (this.#bulkBytes === 0) this.#bulk = undefined;
      this.#flight.sent(largeBytes);
      this.#wasReply = isReply;
    }
    return true;
  }

  /** The oldest batch of a frame tells how long its way was. */
  #measureOldest(): void {
    const { oldest } = this.#topics;
    if (oldest?.latency === undefined) return;
    this.#sentLatency = oldest.latency;
    // What a client missed came long ago; that it comes now says nothing about our pace.
    if (this.#slowPolicy.hasStarts) return;
    this.#flusher.measure(oldest.latency, oldest.receivedAtUs);
  }
}
