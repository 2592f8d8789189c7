import { BatchWriter, lastSequenceOf } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { TopicPosition } from "../batch-order.ts";
import { FeedView } from "../feed-view.ts";
import { SharedBatch, SharedTopic } from "../shared-batch.ts";
import { Subscribers } from "../subscribers.ts";
import type { AttachOptions, Attached, EpochChange, TopicSubscriber } from "../topic-subscriber.ts";
import type { TopicView } from "../topic-view.ts";
import type { ViewOptions } from "../view-options.ts";
import type { SourceReader, TopicSource } from "./topic-source.ts";
import { ViewChecksums } from "./view-checksums.ts";
import type { DueView, ViewClock } from "./view-clock.ts";
import type { Run, ViewContent } from "./view-content.ts";
import { ViewStarts } from "./view-starts.ts";
import type { ViewFeed } from "../view-feed.ts";

/**
 * Subscribers hear at least so often how far a topic has come of which the view shows no change, so
 * that they can resume from there.
 */
const POSITION_INTERVAL_MS = 1_000;

/** What a view is made of. */
type ConflatedViewParts = {
  readonly feed: ViewFeed;
  readonly source: TopicSource;
  readonly clock: ViewClock;
  readonly metrics: GatewayMetrics;
};

/**
 * A topic cut to a depth, or sent at an interval, for all who want it that way: each batch is made
 * once, and its bytes are shared. It is a writer of its own over the topic's epoch and sequence, so
 * that a client proves the continuity of a view as it proves that of the topic.
 *
 * What holds, and what enforces it:
 * 1. Nothing is read or kept while nobody is attached: the first subscriber joins the source, and
 *    the last one leaves it.
 * 2. All subscribers stand at `#sequence`: a start ends there, and every batch goes to all of them.
 * 3. What was read and not sent is in the content: it is settled before a gap, a state or another
 *    epoch is passed on, so that what is missing is never told as conflated, nor the reverse.
 * 4. A batch goes on from `#sequence`: `skipped` makes up for what is left out. Asserted.
 * 5. With something read and not sent, the view is marked in the clock, so it will be sent.
 */
export class ConflatedView extends FeedView implements TopicView, SourceReader, DueView {
  readonly options: ViewOptions;
  readonly content: ViewContent;
  readonly #source: TopicSource;
  readonly #clock: ViewClock;
  readonly #metrics: GatewayMetrics;
  readonly #shared: SharedTopic;
  readonly #starts: ViewStarts;
  readonly #checksums: ViewChecksums;
  readonly #subscribers: Subscribers;
  #writer: BatchWriter;
  /** The writer's next batch does not go on from what the subscribers had before. */
  #isNewChain = true;
  #epoch = 0;
  /** Sent up to here. */
  #sequence = 0;
  /** Read up to here. */
  #readTo = 0;
  /** What was told last is not what the topic was at the end of a gap. */
  #isBehindGap = false;
  #sentBytes = 0;
  #isMarked = false;
  #isPositionMarked = false;

  constructor(options: ViewOptions, { feed, source, clock, metrics }: ConflatedViewParts) {
    super(feed);
    this.options = options;
    this.content = source.createContent(options.depth);
    this.#source = source;
    this.#clock = clock;
    this.#metrics = metrics;
    const { venue, channel } = feed.name;
    const labels = { venue, channel };
    this.#shared = new SharedTopic(feed.id, labels, metrics.latencies.of(labels));
    this.#starts = new ViewStarts({ feed, source, options, shared: this.#shared });
    this.#writer = this.#createWriter();
    this.#subscribers = new Subscribers(metrics);
    const shown = () => this.#shown();
    this.#checksums = new ViewChecksums({ topicId: feed.id, clock, metrics, shown });
  }

  get position(): TopicPosition {
    return { epoch: this.#epoch, sequence: this.#sequence };
  }

  get sequence(): number {
    return this.#sequence;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    if (this.#subscribers.size === 0) this.#begin();
    const { resume } = options;
    // What the client has is ahead of what was sent: the view goes there.
    const isAhead = resume?.epoch === this.#epoch && resume.sequence > this.#sequence;
    if (isAhead || this.#isBehindGap) this.settle();
    this.#subscribers.add(subscriber);
    if (options.checksum === true && this.#source.kind === "books") this.#checksums.add(subscriber);
    const attached = this.#starts.startOf(options, this.content, this.position);
    this.feed.countResume(options, attached);
    return attached;
  }

  detach(subscriber: TopicSubscriber): void {
    this.#checksums.delete(subscriber);
    if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return;
    this.#source.leave(this);
    this.content.clear();
    this.#starts.clear();
  }

  unlist(subscriber: TopicSubscriber): void {
    this.#subscribers.unlist(subscriber);
  }

  catchUp(from: number, to: number): SharedBatch | undefined {
    const position = { epoch: this.#epoch, sequence: to };
    return this.#starts.latestSince(from, position, (use) => use(this.content));
  }

  settle(): void {
    this.#send();
    if (this.#sequence < this.#readTo) this.#sendPosition();
  }

  onDue(intervalMs: number): void {
    if (intervalMs === this.options.intervalMs) this.#isMarked = false;
    if (intervalMs === POSITION_INTERVAL_MS) this.#isPositionMarked = false;
    // The last subscriber may have left while the view waited.
    if (this.#subscribers.size === 0) return;
    this.#send();
    if (this.#sequence === this.#readTo) return;
    if (intervalMs >= POSITION_INTERVAL_MS) this.#sendPosition();
    else this.#markPosition();
  }

  onRow(): void {
    if (this.options.intervalMs === 0) this.#send();
  }

  onRead(sequence: number): void {
    this.#readTo = sequence;
    if (sequence === this.#sequence) return;
    if (this.options.intervalMs === 0) this.#markPosition();
    else if (this.content.isFull) this.#send();
    else this.#mark();
  }

  onState(sequence: number): void {
    assert(sequence >= this.#sequence, "a state comes where the view is, or after it");
    const rows = this.content.state();
    const isBook = this.#source.kind === "books";
    if (sequence > this.#sequence && isBook && rows !== undefined) {
      // The state stands for what was not told.
      this.#sendRun({ rows, lastSequence: sequence });
      this.#readTo = sequence;
      return;
    }
    this.#restart(this.#epoch, sequence);
    const state = this.#starts.stateAt(this.content, this.position);
    if (state !== undefined) this.#deliver(state);
  }

  gap(missingFirst: number, missingLast: number): void {
    this.settle();
    // What came while the book was not known is missing with the rest.
    const first = Math.min(missingFirst, this.#sequence + 1);
    this.#restart(this.#epoch, Math.max(this.#sequence, missingLast));
    this.#isBehindGap = true;
    this.#subscribers.gap(first, missingLast);
  }

  epochChanged(change: EpochChange): void {
    this.settle();
    this.#restart(change.start.epoch, change.start.sequence);
    this.#subscribers.epochChanged(change);
  }

  /** What the subscribers have been told. */
  #shown() {
    const state = this.content.state();
    const [levels] = state?.kind === "books" ? state.rows : [];
    return levels && { position: this.position, levels };
  }

  #begin(): void {
    this.#source.join(this);
    const { epoch, sequence } = this.#source.position;
    this.#restart(epoch, sequence);
  }

  #restart(epoch: number, sequence: number): void {
    this.#epoch = epoch;
    this.#sequence = sequence;
    this.#readTo = sequence;
    this.#writer = this.#createWriter();
    this.#isNewChain = true;
    this.#isBehindGap = false;
  }

  #createWriter(): BatchWriter {
    const { kind } = this.#source;
    return new BatchWriter({ kind, epoch: this.#epoch, sequence: this.#sequence });
  }

  #mark(): void {
    if (this.#isMarked) return;
    this.#isMarked = true;
    this.#clock.mark(this, this.options.intervalMs);
  }

  #markPosition(): void {
    if (this.#isPositionMarked) return;
    this.#isPositionMarked = true;
    this.#clock.mark(this, POSITION_INTERVAL_MS);
  }

  #send(): void {
    for (const run of this.content.take()) this.#sendRun(run);
  }

  #sendRun({ rows, lastSequence }: Run): void {
    const skipped = lastSequence - rows.rows.length - this.#sequence;
    assert(skipped >= 0, "a view sends no event twice");
    this.#metrics.viewSkipped.inc(this.#shared.labels, skipped);
    const { publishedTimeUs } = this.#source;
    for (const batch of this.#writer.write(rows, { publishedTimeUs, skipped })) this.#news(batch);
    assert(this.#sequence === lastSequence, "a view stands where its last event does");
  }

  #sendPosition(): void {
    const skipped = this.#readTo - this.#sequence;
    this.#metrics.viewSkipped.inc(this.#shared.labels, skipped);
    const { publishedTimeUs } = this.#source;
    this.#news(this.#writer.writePosition({ publishedTimeUs, skipped }));
  }

  #news(batch: BusBatch): void {
    const shared = SharedBatch.news(this.#shared, batch, this.#clock.nowUs);
    if (this.#isNewChain) shared.startChain();
    this.#isNewChain = false;
    this.#isBehindGap = false;
    this.#sequence = lastSequenceOf(batch);
    this.#metrics.viewBatches.inc(this.#shared.labels);
    this.#deliver(shared);
  }

  #deliver(batch: SharedBatch): void {
    this.#sentBytes += batch.byteLength;
    this.#checksums.changed();
    this.#subscribers.deliver(batch);
  }
}
