import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import { RawView } from "../raw-view.ts";
import type { TopicFeed } from "../topic-feed.ts";
import type { TopicView } from "../topic-view.ts";
import { isRaw } from "../view-options.ts";
import type { ViewOptions } from "../view-options.ts";
import { ConflatedView } from "./conflated-view.ts";
import { TopicSource } from "./topic-source.ts";
import type { ViewClock } from "./view-clock.ts";

type TopicViewsParts = {
  readonly clock: ViewClock;
  readonly metrics: GatewayMetrics;
  /** A batch of the topic could not be read. Called while the topic is delivering. */
  readonly onUnreadable: (feed: TopicFeed) => void;
};

type HeldView = { readonly view: ConflatedView; holds: number };

/** The views of one topic that somebody holds, each once. */
export class TopicViews {
  readonly raw: RawView;
  readonly #feed: TopicFeed;
  readonly #parts: TopicViewsParts;
  #held: Map<string, HeldView> | undefined;
  #source: TopicSource | undefined;

  constructor(feed: TopicFeed, parts: TopicViewsParts) {
    this.#feed = feed;
    this.#parts = parts;
    this.raw = new RawView(feed, () => this.#sourceOf());
  }

  /** The view, with one more hold on it. */
  hold(options: ViewOptions): TopicView {
    if (isRaw(options)) return this.raw;
    this.#held ??= new Map();
    const key = keyOf(options);
    let held = this.#held.get(key);
    if (held === undefined) {
      const { clock, metrics } = this.#parts;
      const parts = { feed: this.#feed, source: this.#sourceOf(), clock, metrics };
      held = { view: new ConflatedView(options, parts), holds: 0 };
      this.#held.set(key, held);
      metrics.views.inc();
    }
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
    this.#parts.metrics.views.dec();
  }

  /** The views that were made, each with how many sessions hold it. */
  *made(): Iterable<{ readonly options: ViewOptions; readonly holds: number }> {
    for (const { view, holds } of this.#held?.values() ?? [])
      yield { options: view.options, holds };
  }

  #sourceOf(): TopicSource {
    this.#source ??= new TopicSource(this.#feed, () => this.#parts.onUnreadable(this.#feed));
    return this.#source;
  }
}

function keyOf({ depth, intervalMs }: ViewOptions): string {
  return `${depth} ${intervalMs}`;
}
