import { bookChecksum } from "@tickwire/proto/model";
import type { BookChange } from "@tickwire/proto/model";
import { encodeServerMessages } from "#wire/frame-codec.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { TopicPosition } from "../batch-order.ts";
import type { TopicSubscriber } from "../topic-subscriber.ts";
import type { DueView, ViewClock } from "./view-clock.ts";

/** A book that changed is checked so often. It is an interval of views. */
const CHECKSUM_INTERVAL_MS = 1_000;

/** What the subscribers of a view have. */
type ShownBook = { readonly position: TopicPosition; readonly levels: BookChange };

type ViewChecksumsParts = {
  readonly topicId: number;
  readonly clock: ViewClock;
  readonly metrics: Pick<GatewayMetrics, "viewChecksums">;
  /** Undefined while the book is not known. */
  readonly shown: () => ShownBook | undefined;
};

/**
 * Tells those subscribers of a book who asked for it what its levels come to, about once a second
 * in which it changed: computed once, and shared. Costs nothing while nobody asked.
 */
export class ViewChecksums implements DueView {
  readonly #parts: ViewChecksumsParts;
  readonly #subscribers = new Set<TopicSubscriber>();
  #isMarked = false;

  constructor(parts: ViewChecksumsParts) {
    this.#parts = parts;
  }

  /** Subscribers who asked. */
  get size(): number {
    return this.#subscribers.size;
  }

  add(subscriber: TopicSubscriber): void {
    this.#subscribers.add(subscriber);
    this.changed();
  }

  /** False if it had not asked. */
  delete(subscriber: TopicSubscriber): boolean {
    return this.#subscribers.delete(subscriber);
  }

  /** The book that subscribers have has changed. */
  changed(): void {
    if (this.#isMarked || this.#subscribers.size === 0) return;
    this.#isMarked = true;
    this.#parts.clock.mark(this, CHECKSUM_INTERVAL_MS);
  }

  onDue(): void {
    this.#isMarked = false;
    const shown = this.#subscribers.size === 0 ? undefined : this.#parts.shown();
    if (shown === undefined) return;
    const { topicId, metrics } = this.#parts;
    const { epoch, sequence } = shown.position;
    const value = { topicId, epoch, sequence, crc32: bookChecksum(shown.levels) };
    const message = encodeServerMessages([{ kind: "bookChecksum", value }]);
    metrics.viewChecksums.inc();
    for (const subscriber of this.#subscribers) subscriber.checksum?.(message);
  }
}
