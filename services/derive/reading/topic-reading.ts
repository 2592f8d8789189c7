import { rowsOf } from "@tickwire/proto/codec";
import type { BatchRows, DecodedBatch } from "@tickwire/proto/codec";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Topic } from "#core/topic.ts";
import { BatchStream } from "#gateway/topics/conflation/batch-stream.ts";
import type { TopicPosition } from "#gateway/topics/batch-order.ts";
import type { Hub } from "#gateway/topics/hub.ts";
import type { SharedBatch } from "#gateway/topics/shared-batch.ts";
import type { EpochChange, TopicSubscriber } from "#gateway/topics/topic-subscriber.ts";
import type { TopicView } from "#gateway/topics/topic-view.ts";

export type { TopicPosition };

/** Who reads a topic. Each method is called synchronously and must not throw. */
export type TopicListener = {
  /** The topic is followed from behind this place on. */
  onStart?(position: TopicPosition): void;
  /** News, of which the rows from `first` on are new here. */
  onNews(rows: BatchRows, first: number): void;
  /** All that the topic holds now, in place of everything before. */
  onState(rows: BatchRows): void;
  /** What happened since the last event is not all known. A book comes whole again. */
  onLoss(): void;
};

type TopicReadingParts = {
  readonly hub: Pick<Hub, "hold" | "release">;
  readonly clock: Pick<Clock, "after">;
  readonly name: Topic;
  readonly listener: TopicListener;
};

/** A topic that cannot be had is asked for again after this. */
const RETRY_MS = 1_000;

/** One topic of the bus as rows, from its state on, for as long as it is wanted. */
export class TopicReading implements TopicSubscriber {
  readonly #parts: TopicReadingParts;
  #stream = new BatchStream();
  #view: TopicView | undefined;
  #isAttached = false;
  #isClosed = false;
  #sequence = 0;
  #cancelRetry: CancelTimer | undefined;

  /** Begins at once. */
  constructor(parts: TopicReadingParts) {
    this.#parts = parts;
    this.#begin();
  }

  /** Whether what comes is told. */
  get isLive(): boolean {
    return this.#isAttached;
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#leave();
  }

  deliver(batch: SharedBatch): void {
    const read = this.#stream.read(batch);
    if (read === undefined) this.#restart();
    else if (batch.isState) for (const decoded of read) this.#takeState(decoded);
    else for (const decoded of read) this.#takeNews(decoded);
  }

  gap(_missingFirst: number, missingLast: number): void {
    this.#sequence = Math.max(this.#sequence, missingLast);
    this.#parts.listener.onLoss();
  }

  epochChanged({ start, continues }: EpochChange): void {
    this.#sequence = start.sequence;
    if (!continues) this.#parts.listener.onLoss();
  }

  #begin(): void {
    const { hub, name } = this.#parts;
    const view = hub.hold(name);
    if (view === undefined) {
      this.#retry();
      return;
    }
    this.#view = view;
    view.whenReady((failure) => {
      if (this.#isClosed || this.#view !== view) return;
      if (failure === undefined) {
        this.#attach(view);
        return;
      }
      this.#leave();
      this.#retry();
    });
  }

  #attach(view: TopicView): void {
    const { position, batches } = view.attach(this, { snapshot: true, resume: undefined });
    this.#stream = new BatchStream();
    this.#sequence = position.sequence;
    this.#isAttached = true;
    this.#parts.listener.onStart?.(position);
    for (const batch of batches) {
      const read = this.#stream.read(batch);
      if (read === undefined) {
        this.#restart();
        return;
      }
      if (batch.isState) for (const decoded of read) this.#takeState(decoded);
      else for (const decoded of read) this.#takeAll(decoded);
    }
  }

  /** A batch whose head was right cannot be read: the topic begins anew. */
  #restart(): void {
    this.#parts.listener.onLoss();
    this.#leave();
    this.#retry();
  }

  #retry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = this.#parts.clock.after(RETRY_MS, () => this.#begin());
  }

  #leave(): void {
    const view = this.#view;
    if (view === undefined) return;
    this.#view = undefined;
    if (this.#isAttached) view.detach(this);
    this.#isAttached = false;
    this.#parts.hub.release(view);
  }

  #takeState(decoded: DecodedBatch): void {
    this.#sequence = decoded.firstSequence;
    this.#parts.listener.onState(rowsOf(decoded));
  }

  /** What came between the state of a start and its position. */
  #takeAll(decoded: DecodedBatch): void {
    this.#parts.listener.onNews(rowsOf(decoded), 0);
  }

  #takeNews(decoded: DecodedBatch): void {
    const rows = rowsOf(decoded);
    const { firstSequence } = decoded;
    // A batch may begin with what is here already.
    const first = Math.max(0, this.#sequence + 1 - firstSequence);
    this.#sequence = Math.max(this.#sequence, firstSequence + rows.rows.length - 1);
    if (first < rows.rows.length) this.#parts.listener.onNews(rows, first);
  }
}
