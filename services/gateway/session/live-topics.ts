import type { GatewayMetrics } from "../metrics.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { TopicSubscription } from "./topic-subscription.ts";

/** So many are found by looking at each; a table of more is worth its room. */
const FEW_MAX = 16;

/** The topics of one session that have started and not ended. */
export class LiveTopics {
  readonly #metrics: Pick<GatewayMetrics, "subscriptions">;
  /** By topic where they are many. An array is never changed, so that all of its room is used. */
  #topics: readonly TopicSubscription[] | Map<string, TopicSubscription> = [];

  constructor(metrics: Pick<GatewayMetrics, "subscriptions">) {
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#topics instanceof Map ? this.#topics.size : this.#topics.length;
  }

  has(topic: string): boolean {
    return this.get(topic) !== undefined;
  }

  get(topic: string): TopicSubscription | undefined {
    const topics = this.#topics;
    if (topics instanceof Map) return topics.get(topic);
    return topics.find(({ view }) => view.topic === topic);
  }

  /** Topics may end, and more may come, between two of them. */
  all(): Iterable<TopicSubscription> {
    return this.#topics instanceof Map ? this.#topics.values() : this.#topics;
  }

  add(subscription: TopicSubscription): void {
    const topics = this.#topics;
    if (topics instanceof Map) topics.set(subscription.view.topic, subscription);
    else if (topics.length < FEW_MAX) this.#topics = topics.concat(subscription);
    else {
      this.#topics = new Map(topics.map((each) => [each.view.topic, each]));
      this.#topics.set(subscription.view.topic, subscription);
    }
    this.#metrics.subscriptions.inc();
  }

  end(subscription: TopicSubscription): void {
    const topics = this.#topics;
    if (topics instanceof Map) {
      topics.delete(subscription.view.topic);
      if (topics.size === 0) this.#topics = [];
    } else this.#topics = topics.toSpliced(topics.indexOf(subscription), 1);
    this.#metrics.subscriptions.dec();
    subscription.end();
  }

  /** The work of ending all of them. They are counted no more from now on. */
  endAll(line: Pick<TurnLine, "isOver">): Work {
    this.#metrics.subscriptions.dec(this.size);
    return this.#endEach(line);
  }

  *#endEach(line: Pick<TurnLine, "isOver">): Work {
    for (const subscription of this.all()) {
      if (line.isOver) yield;
      subscription.end();
    }
    this.#topics = [];
  }
}
