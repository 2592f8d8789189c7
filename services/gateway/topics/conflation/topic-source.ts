import { rowsOf } from "@tickwire/proto/codec";
import type { BatchRows, BookRow, DecodedBatch, RowTimes } from "@tickwire/proto/codec";
import type { BookChange } from "@tickwire/proto/model";
import { createOrderBook } from "#core/order-book.ts";
import { batchKindOf } from "#wire/event-codec.ts";
import type { TopicPosition } from "../batch-order.ts";
import type { SharedBatch } from "../shared-batch.ts";
import type { EpochChange, TopicSubscriber } from "../topic-subscriber.ts";
import { BatchStream } from "./batch-stream.ts";
import { CutBookContent, WholeBookContent } from "./book-content.ts";
import { LatestRows, RowContent } from "./row-content.ts";
import type { ViewContent } from "./view-content.ts";
import type { ViewFeed } from "../view-feed.ts";

/** A view that is fed. Each method is called synchronously. */
export type SourceReader = {
  readonly content: ViewContent;
  /** Sends what waits: what comes next is no change of it. */
  settle(): void;
  /** One row was added to the content. */
  onRow(): void;
  /** Everything up to this sequence was added. */
  onRead(sequence: number): void;
  /** The content was replaced by a state at this sequence. */
  onState(sequence: number): void;
  gap(missingFirst: number, missingLast: number): void;
  epochChanged(change: EpochChange): void;
};

/** Hears of what a source cannot do. Called synchronously. */
type SourceListener = {
  /** A batch of the topic cannot be read. */
  readonly onUnreadable: () => void;
  /** A part of the topic's state was forgotten, because it has too many. */
  readonly onForgotten: () => void;
};

/**
 * The events of one topic for its views: one subscriber of the feed that reads each batch once,
 * keeps the book, and hands every event to each view. It is there while a view is.
 */
export class TopicSource implements TopicSubscriber {
  readonly kind: BatchRows["kind"];
  /** Of the newest batch. */
  publishedTimeUs = 0;
  readonly #feed: ViewFeed;
  readonly #onUnreadable: () => void;
  readonly #views = new Set<SourceReader>();
  readonly #book = createOrderBook();
  readonly #latest: LatestRows | undefined;
  #lastBookRow: BookRow | undefined;
  #stream = new BatchStream();
  /** Of a book: whether its state is known. What has no book is always known. */
  #isKnown = false;
  #epoch = 0;
  #sequence = 0;

  constructor(feed: ViewFeed, { onUnreadable, onForgotten }: SourceListener) {
    this.#feed = feed;
    this.#onUnreadable = onUnreadable;
    this.kind = batchKindOf(feed.name.channel);
    this.#latest = this.kind === "books" ? undefined : new LatestRows(this.kind, onForgotten);
  }

  /** Up to where the views have been fed. */
  get position(): TopicPosition {
    return { epoch: this.#epoch, sequence: this.#sequence };
  }

  /** Makes the content of a view of so many levels, which is not fed before `join`. */
  createContent(depth: number): ViewContent {
    if (this.kind !== "books") return new RowContent(this.kind);
    return depth === 0 ? new WholeBookContent(this.#book) : new CutBookContent(this.#book, depth);
  }

  /** The best levels of the book as it is now; undefined while it is not known. */
  bestLevels(depth: number): BookChange | undefined {
    if (this.kind !== "books" || !this.#isKnown) return undefined;
    const { priceScale, sizeScale } = this.#book;
    const [bids, asks] = [this.#book.bids(depth), this.#book.asks(depth)];
    return { priceScale, sizeScale, bids, asks };
  }

  /** Feeds the view from here on. Its content is what the topic is now. */
  join(view: SourceReader): void {
    if (this.#views.size === 0) this.#begin();
    this.#views.add(view);
    this.#fill(view.content);
  }

  /** Idempotent. The feed is left with the last view. */
  leave(view: SourceReader): void {
    if (!this.#views.delete(view) || this.#views.size > 0) return;
    this.#feed.detach(this);
    this.#forget();
  }

  /** What the callback makes of the whole topic as it is now. */
  glance<Result>(look: (content: ViewContent) => Result): Result {
    const content = this.createContent(0);
    const nothing = (): void => undefined;
    const reader: SourceReader = {
      content,
      settle: nothing,
      onRow: nothing,
      onRead: nothing,
      onState: nothing,
      gap: nothing,
      epochChanged: nothing,
    };
    this.join(reader);
    const result = look(content);
    this.leave(reader);
    return result;
  }

  deliver(batch: SharedBatch): void {
    const read = this.#stream.read(batch);
    if (read === undefined) {
      this.#onLost(batch);
    } else if (batch.isState) {
      for (const view of this.#views) view.settle();
      this.#takeState(read);
      for (const view of this.#views) view.onState(this.#sequence);
    } else {
      for (const decoded of read) this.#takeNews(decoded);
      // Of a book that is not known nothing can be told: its views stay until its state comes.
      if (!this.#isKnown) return;
      for (const view of this.#views) view.onRead(this.#sequence);
    }
  }

  gap(missingFirst: number, missingLast: number): void {
    this.#sequence = Math.max(this.#sequence, missingLast);
    for (const view of this.#views) view.gap(missingFirst, missingLast);
    this.#loseBook();
  }

  epochChanged(change: EpochChange): void {
    this.#epoch = change.start.epoch;
    this.#sequence = change.start.sequence;
    for (const view of this.#views) view.epochChanged(change);
    if (change.continues) return;
    this.#latest?.clear();
    this.#loseBook();
    if (this.kind !== "books") for (const { content } of this.#views) content.clear();
  }

  #begin(): void {
    const { position, batches } = this.#feed.attach(this, { snapshot: true, resume: undefined });
    this.#epoch = position.epoch;
    this.#sequence = position.sequence;
    this.#isKnown = this.kind !== "books";
    for (const batch of batches) {
      const read = this.#stream.read(batch);
      if (read === undefined) this.#onLost(batch);
      else if (batch.isState) this.#takeState(read);
      else for (const decoded of read) this.#takeNews(decoded);
    }
  }

  #forget(): void {
    this.#stream = new BatchStream();
    this.#book.clear();
    this.#latest?.clear();
    this.#lastBookRow = undefined;
    this.#isKnown = false;
  }

  #fill(content: ViewContent): void {
    if (this.#latest !== undefined) content.replace(this.#latest.all());
    else if (this.#isKnown)
      content.replace(this.#lastBookRow === undefined ? [] : [this.#lastBookRow]);
  }

  #takeState(read: readonly DecodedBatch[]): void {
    for (const decoded of read) {
      const { rows } = rowsOf(decoded);
      this.#epoch = decoded.epoch;
      this.#sequence = decoded.firstSequence;
      this.publishedTimeUs = decoded.publishedTimeUs;
      for (const row of rows) this.#applyState(row);
    }
    for (const { content } of this.#views) this.#fill(content);
  }

  #applyState(row: RowTimes): void {
    if (this.kind !== "books") {
      this.#latest?.set(row);
      return;
    }
    this.#apply(row as BookRow);
    this.#isKnown = true;
  }

  #takeNews(decoded: DecodedBatch): void {
    const { firstSequence } = decoded;
    const { rows } = rowsOf(decoded);
    this.publishedTimeUs = decoded.publishedTimeUs;
    for (let index = 0; index < rows.length; index += 1) {
      const sequence = firstSequence + index;
      // A batch may begin with what is here already.
      if (sequence <= this.#sequence) continue;
      this.#sequence = sequence;
      this.#takeRow(rows[index] as RowTimes, sequence);
    }
  }

  #takeRow(row: RowTimes, sequence: number): void {
    if (this.kind === "books") {
      const change = row as BookRow;
      // Nobody can apply changes before the state that they change.
      if (!this.#isKnown && !change.snapshot) return;
      for (const { content } of this.#views) content.before(change);
      this.#apply(change);
      this.#isKnown = true;
    } else {
      this.#latest?.set(row);
    }
    for (const view of this.#views) {
      view.content.add(row, sequence);
      view.onRow();
    }
  }

  #apply(row: BookRow): void {
    if (row.snapshot) this.#book.applySnapshot(row);
    else this.#book.applyDelta(row);
    this.#lastBookRow = row;
  }

  #loseBook(): void {
    if (this.kind !== "books") return;
    this.#isKnown = false;
    this.#lastBookRow = undefined;
    for (const { content } of this.#views) content.clear();
  }

  /** A batch whose head was right cannot be read: its events are lost to the views. */
  #onLost({ lastSequence, isState }: SharedBatch): void {
    this.#stream = new BatchStream();
    const first = this.#sequence + 1;
    if (isState || lastSequence < first) this.#loseBook();
    else this.gap(first, lastSequence);
    this.#onUnreadable();
  }
}
