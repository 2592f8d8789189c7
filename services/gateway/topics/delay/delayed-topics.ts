import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import { TopicViews } from "../conflation/topic-views.ts";
import type { ViewParts } from "../conflation/topic-views.ts";
import type { RingLimits } from "../topic-history.ts";
import type { TopicView } from "../topic-view.ts";
import type { ViewFeed } from "../view-feed.ts";
import type { ViewOptions } from "../view-options.ts";
import { DelayedFeed } from "./delayed-feed.ts";
import type { DelaySpace } from "./delay-queue.ts";

type DelayedTopicsParts = {
  readonly feed: ViewFeed;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly space: DelaySpace;
  readonly limits: RingLimits & { readonly topicLingerMs: number };
  readonly viewParts: ViewParts;
  /** The topic has to be followed for one more delay, or for one less. */
  readonly onBegin: () => void;
  readonly onEnd: () => void;
};

/** The topic as it was some time ago, and its views. */
type DelayedTopic = {
  readonly feed: DelayedFeed;
  readonly views: TopicViews;
  holds: number;
  /** Set while nobody uses it; calling it keeps it. */
  cancelEnd: CancelTimer | undefined;
};

/** One topic with its delays, each once for all who have it so much later. */
export class DelayedTopics {
  readonly #parts: DelayedTopicsParts;
  readonly #byDelayMs = new Map<number, DelayedTopic>();

  constructor(parts: DelayedTopicsParts) {
    this.#parts = parts;
  }

  /** The view, with one more hold on it; undefined if there is no room for it. */
  hold(delayMs: number, options: ViewOptions, leaving?: TopicView): TopicView | undefined {
    const delayed = this.#byDelayMs.get(delayMs) ?? this.#begin(delayMs);
    const view = delayed.views.hold(options, leaving);
    if (view !== undefined) {
      delayed.holds += 1;
      delayed.cancelEnd?.();
      delayed.cancelEnd = undefined;
    } else if (delayed.holds === 0) {
      this.#endSoon(delayMs, delayed);
    }
    return view;
  }

  /** Gives one hold back. */
  release(delayMs: number, view: TopicView): void {
    const delayed = this.#byDelayMs.get(delayMs);
    assert(delayed !== undefined && delayed.holds > 0, `${view.topic} was held with this delay`);
    delayed.views.release(view);
    delayed.holds -= 1;
    if (delayed.holds === 0) this.#endSoon(delayMs, delayed);
  }

  /** Nothing is followed any more. Idempotent. */
  close(): void {
    for (const { feed, cancelEnd } of this.#byDelayMs.values()) {
      cancelEnd?.();
      feed.close();
    }
    this.#byDelayMs.clear();
  }

  #begin(delayMs: number): DelayedTopic {
    const { viewParts, onBegin } = this.#parts;
    const feed = new DelayedFeed({ ...this.#parts, delayMs });
    const views = new TopicViews(feed, { ...viewParts, delayMs });
    const delayed = { feed, views, holds: 0, cancelEnd: undefined };
    this.#byDelayMs.set(delayMs, delayed);
    onBegin();
    return delayed;
  }

  /** Whoever comes next would have to wait for the whole delay, so it is kept as long again. */
  #endSoon(delayMs: number, delayed: DelayedTopic): void {
    const { clock, limits, onEnd } = this.#parts;
    delayed.cancelEnd?.();
    delayed.cancelEnd = clock.after(Math.max(limits.topicLingerMs, delayMs), () => {
      this.#byDelayMs.delete(delayMs);
      delayed.feed.close();
      onEnd();
    });
  }
}
