import type { TopicPosition } from "../topics/batch-order.ts";

/** A position, and the request that brought it: requests are numbered as they come. */
type Kept = { readonly position: TopicPosition; readonly order: number };

/**
 * Positions of topics that the client has asked for and not got yet. Whatever brings such a topic
 * (another request, or a pattern that grows) goes on from there, so that a client that has a
 * position is never started anew. Beyond `positionsMax` the oldest is forgotten: what the client
 * then hears is a new start, which says the loss by its position.
 */
export class KeptPositions {
  readonly #positionsMax: number;
  readonly #onForgotten: () => void;
  /** Undefined while there are none: most clients never send any, or have used them soon. */
  #byTopic: Map<string, Kept> | undefined;

  constructor(positionsMax: number, onForgotten: () => void) {
    this.#positionsMax = positionsMax;
    this.#onForgotten = onForgotten;
  }

  get size(): number {
    return this.#byTopic?.size ?? 0;
  }

  /** The newest position of a topic counts. */
  keep(topic: string, position: TopicPosition, order: number): void {
    const byTopic = (this.#byTopic ??= new Map<string, Kept>());
    byTopic.delete(topic);
    byTopic.set(topic, { position, order });
    if (byTopic.size <= this.#positionsMax) return;
    for (const oldest of byTopic.keys()) {
      byTopic.delete(oldest);
      this.#onForgotten();
      return;
    }
  }

  /** The position, which stays; undefined if there is none. */
  get(topic: string): TopicPosition | undefined {
    return this.#byTopic?.get(topic)?.position;
  }

  /** The position, which is used now; undefined if there is none. */
  take(topic: string): TopicPosition | undefined {
    const kept = this.#byTopic?.get(topic);
    if (kept !== undefined) this.#delete(topic);
    return kept?.position;
  }

  /** The client gave the topic up with a request of this order. */
  forget(topic: string, order: number): void {
    const kept = this.#byTopic?.get(topic);
    if (kept !== undefined && kept.order < order) this.#delete(topic);
  }

  clear(): void {
    this.#byTopic = undefined;
  }

  #delete(topic: string): void {
    this.#byTopic?.delete(topic);
    if (this.size === 0) this.#byTopic = undefined;
  }
}
