import type { GatewayMetrics } from "../metrics.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { TopicSubscription } from "./topic-subscription.ts";

/** The topics of one session that have started and not ended. */
export class LiveTopics {
  readonly #metrics: Pick<GatewayMetrics, "subscriptions">;
  readonly #byTopic = new Map<string, TopicSubscription>();

  constructor(metrics: Pick<GatewayMetrics, "subscriptions">) {
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#byTopic.size;
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  get(topic: string): TopicSubscription | undefined {
    return this.#byTopic.get(topic);
  }

  all(): Iterable<TopicSubscription> {
    return this.#byTopic.values();
  }

  add(subscription: TopicSubscription): void {
    this.#byTopic.set(subscription.view.topic, subscription);
    this.#metrics.subscriptions.inc();
  }

  end(subscription: TopicSubscription): void {
    this.#byTopic.delete(subscription.view.topic);
    this.#metrics.subscriptions.dec();
    subscription.end();
  }

  /** The work of ending all of them. They are counted no more from now on. */
  endAll(line: Pick<TurnLine, "isOver">): Work {
    this.#metrics.subscriptions.dec(this.#byTopic.size);
    return this.#endEach(line);
  }

  *#endEach(line: Pick<TurnLine, "isOver">): Work {
    for (const subscription of this.#byTopic.values()) {
      if (line.isOver) yield;
      subscription.end();
    }
    this.#byTopic.clear();
  }
}
