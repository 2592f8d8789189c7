import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import { RawView } from "../raw-view.ts";
import type { TopicView } from "../topic-view.ts";
import { isRaw, nearestView, RAW_VIEW } from "../view-options.ts";
import type { ViewOptions } from "../view-options.ts";
import { ConflatedView } from "./conflated-view.ts";
import { RawChecksums } from "./raw-checksums.ts";
import { TopicSource } from "./topic-source.ts";
import type { ViewBudget } from "./view-budget.ts";
import type { ViewClock } from "./view-clock.ts";
import type { ViewFeed } from "../view-feed.ts";

/** What the views of every topic are made of. */
export type ViewParts = {
  readonly clock: ViewClock;
  readonly budget: ViewBudget;
  readonly metrics: GatewayMetrics;
  /** A batch of the topic could not be read. Called while the topic is delivering. */
  readonly onUnreadable: () => void;
};

type TopicViewsParts = ViewParts & {
  /** By which the topic comes later in all of these views. */
  readonly delayMs?: number;
};

type HeldView = { readonly view: ConflatedView; holds: number };

/** The views of one topic that somebody holds, each once. */
export class TopicViews {
  readonly raw: RawView;
  readonly #feed: ViewFeed;
  readonly #parts: TopicViewsParts;
  #held: Map<string, HeldView> | undefined;
  #source: TopicSource | undefined;

  constructor(feed: ViewFeed, parts: TopicViewsParts) {
    this.#feed = feed;
    this.#parts = parts;
    const { delayMs } = parts;
    const options = delayMs === undefined ? RAW_VIEW : { ...RAW_VIEW, delayMs };
    this.raw = new RawView(
      feed,
      () => this.#sourceOf(),
      () => new RawChecksums({ ...parts, feed, source: this.#sourceOf() }),
      options,
    );
  }

  /**
   * The view, with one more hold on it. If there is no room for one more, another one that will do:
   * with as many levels or more, and no more batches. Undefined if there is none. `leaving` is the
   * view that is released once this one is held.
   */
  hold(options: ViewOptions, leaving?: TopicView): TopicView | undefined {
    if (isRaw(options)) return this.raw;
    this.#held ??= new Map();
    const held = this.#held.get(keyOf(options)) ?? this.#make(options, leaving);
    if (held === undefined) return this.#holdNearest(options);
    held.holds += 1;
    return held.view;
  }

  /** Gives one hold back; with the last one the view is gone. */
  release(view: TopicView): void {
    if (view === this.raw) return;
    const key = keyOf(view.options);
    const held = this.#held?.get(key);
    assert(held?.view === view, `a view of ${view.topic} that is released is held`);
    held.holds -= 1;
    if (held.holds > 0) return;
    this.#held?.delete(key);
    this.#parts.budget.giveBack();
  }

  /** Undefined if there is no room for it. */
  #make(options: ViewOptions, leaving: TopicView | undefined): HeldView | undefined {
    const { clock, metrics, budget } = this.#parts;
    const isLast = leaving !== undefined && this.#held?.get(keyOf(leaving.options))?.holds === 1;
    if (!budget.take(isLast ? 1 : 0)) return undefined;
    const parts = { feed: this.#feed, source: this.#sourceOf(), clock, metrics };
    const held = { view: new ConflatedView(options, parts), holds: 0 };
    this.#held?.set(keyOf(options), held);
    return held;
  }

  #holdNearest(options: ViewOptions): TopicView | undefined {
    const others = Array.from(this.#held?.values() ?? [], ({ view }) => view.options);
    const nearest = nearestView(options, others);
    this.#parts.budget.exceeded(nearest === undefined ? "refused" : "shared");
    return nearest && this.hold(nearest);
  }

  /** The views that were made, each with how many sessions hold it. */
  *made(): Iterable<{ readonly options: ViewOptions; readonly holds: number }> {
    for (const { view, holds } of this.#held?.values() ?? [])
      yield { options: view.options, holds };
  }

  #sourceOf(): TopicSource {
    if (this.#source !== undefined) return this.#source;
    const { metrics, onUnreadable } = this.#parts;
    const { venue, channel } = this.#feed.name;
    const onForgotten = (): void => metrics.viewStateForgotten.inc({ venue, channel });
    this.#source = new TopicSource(this.#feed, { onUnreadable, onForgotten });
    return this.#source;
  }
}

function keyOf({ depth, intervalMs }: ViewOptions): string {
  return `${depth} ${intervalMs}`;
}
