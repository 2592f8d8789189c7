import { CHECKSUM_LEVELS_MAX } from "@tickwire/proto/model";
import type { GatewayMetrics } from "../../metrics.ts";
import type { ViewFeed } from "../view-feed.ts";
import type { TopicSubscriber } from "../topic-subscriber.ts";
import type { SourceReader, TopicSource } from "./topic-source.ts";
import { ViewChecksums } from "./view-checksums.ts";
import type { ViewClock } from "./view-clock.ts";
import type { ViewContent } from "./view-content.ts";

const nothing = (): void => undefined;

/** Of a reader who looks at the book itself. */
const NO_CONTENT: ViewContent = {
  isFull: false,
  before: nothing,
  add: nothing,
  take: () => [],
  state: () => undefined,
  replace: nothing,
  clear: nothing,
};

type RawChecksumsParts = {
  readonly feed: ViewFeed;
  readonly source: TopicSource;
  readonly clock: ViewClock;
  readonly metrics: Pick<GatewayMetrics, "viewChecksums">;
};

/**
 * Checksums of a book as it was published. The feed does not read its batches, so the source does
 * as long as somebody asked.
 */
export class RawChecksums {
  readonly #source: TopicSource;
  readonly #checksums: ViewChecksums;
  readonly #reader: SourceReader;

  constructor({ feed, source, clock, metrics }: RawChecksumsParts) {
    this.#source = source;
    const shown = () => {
      const { position } = source;
      // What could not be read is not in the levels.
      const isUpToDate = position.sequence === feed.sequence;
      const levels = isUpToDate ? source.bestLevels(CHECKSUM_LEVELS_MAX) : undefined;
      return levels && { position, levels };
    };
    this.#checksums = new ViewChecksums({ topicId: feed.id, clock, metrics, shown });
    const changed = (): void => this.#checksums.changed();
    this.#reader = {
      content: NO_CONTENT,
      settle: nothing,
      onRow: nothing,
      onRead: changed,
      onState: changed,
      gap: nothing,
      epochChanged: nothing,
    };
  }

  add(subscriber: TopicSubscriber): void {
    if (this.#checksums.size === 0) this.#source.join(this.#reader);
    this.#checksums.add(subscriber);
  }

  /** Idempotent. */
  delete(subscriber: TopicSubscriber): void {
    if (!this.#checksums.delete(subscriber) || this.#checksums.size > 0) return;
    this.#source.leave(this.#reader);
  }
}
