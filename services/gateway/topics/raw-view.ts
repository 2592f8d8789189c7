import type { TopicPosition } from "./batch-order.ts";
import type { RawChecksums } from "./conflation/raw-checksums.ts";
import type { TopicSource } from "./conflation/topic-source.ts";
import { ViewStarts } from "./conflation/view-starts.ts";
import { FeedView } from "./feed-view.ts";
import { SharedTopic } from "./shared-batch.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { AttachOptions, Attached, TopicSubscriber } from "./topic-subscriber.ts";
import type { TopicView } from "./topic-view.ts";
import { RAW_VIEW } from "./view-options.ts";
import type { ViewOptions } from "./view-options.ts";
import type { ViewFeed } from "./view-feed.ts";

/**
 * A topic as it was published. Its subscribers stand in the feed's own list, so that a batch
 * reaches them without a step in between.
 */
export class RawView extends FeedView implements TopicView {
  readonly options: ViewOptions;
  readonly #sourceOf: () => TopicSource;
  readonly #createChecksums: () => RawChecksums;
  #checksums: RawChecksums | undefined;

  /** The others are called when a book is wanted whole, or checked, which the feed alone is not. */
  constructor(
    feed: ViewFeed,
    sourceOf: () => TopicSource,
    createChecksums: () => RawChecksums,
    options: ViewOptions = RAW_VIEW,
  ) {
    super(feed);
    this.options = options;
    this.#sourceOf = sourceOf;
    this.#createChecksums = createChecksums;
  }

  get position(): TopicPosition {
    return this.feed.position;
  }

  get sequence(): number {
    return this.feed.sequence;
  }

  get sentBytes(): number {
    return this.feed.sentBytes;
  }

  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    const isBook = this.name.channel === "book";
    const isWhole = isBook && options.whole === true;
    const attached = isWhole
      ? this.#attachWhole(subscriber, options)
      : this.feed.attach(subscriber, options);
    if (isBook && options.checksum === true) {
      this.#checksums ??= this.#createChecksums();
      this.#checksums.add(subscriber);
    }
    return attached;
  }

  detach(subscriber: TopicSubscriber): void {
    this.feed.detach(subscriber);
    this.#checksums?.delete(subscriber);
  }

  unlist(subscriber: TopicSubscriber): void {
    this.feed.unlist(subscriber);
  }

  catchUp(from: number, to: number): SharedBatch | undefined {
    const source = this.#sourceOf();
    const starts = this.#startsOf(source);
    const position = { epoch: this.position.epoch, sequence: to };
    return starts.latestSince(from, position, (use) => source.glance(use));
  }

  /** Nothing is held back. */
  settle(): void {}

  /** The book as it is where the topic stands, for a client that has a part of it. */
  #attachWhole(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    this.feed.attach(subscriber, { snapshot: false, resume: undefined });
    const source = this.#sourceOf();
    const starts = this.#startsOf(source);
    const attached = source.glance((content) => starts.startOf(options, content, this.position));
    this.feed.countResume(options, attached);
    return attached;
  }

  #startsOf(source: TopicSource): ViewStarts {
    const { venue, channel } = this.name;
    const shared = new SharedTopic(this.id, { venue, channel });
    return new ViewStarts({ feed: this.feed, source, options: RAW_VIEW, shared });
  }
}
