/**
 * What a full buffer does with the next event.
 * `error`: the stream ends with BufferOverflowError after what it holds was read.
 * `drop-oldest`: the oldest event goes, counted.
 * `latest`: only the newest event per topic is kept at any time; older ones are replaced, counted.
 */
export type OverflowPolicy = "error" | "drop-oldest" | "latest";

/** Every policy, for checks of what users give. */
export const OVERFLOW_POLICIES: readonly OverflowPolicy[] = ["error", "drop-oldest", "latest"];

/** Holds what arrived and was not read yet. At most `capacity` events, in order of arrival. */
export type EventBuffer<T> = {
  /** False if the event did not fit and nothing was dropped for it. */
  push(key: string, event: T): boolean;
  shift(): T | undefined;
  clear(): void;
  readonly size: number;
  /** Events that were replaced or dropped since the start. */
  readonly dropped: number;
};

/** `capacity` is an integer of at least 1. */
export function createEventBuffer<T>(capacity: number, policy: OverflowPolicy): EventBuffer<T> {
  return policy === "latest" ? new LatestBuffer(capacity) : new QueueBuffer(capacity, policy);
}

/** What was read is let go of when it is so much, and half of what is held. */
const READ_EVENTS_KEPT = 16;

/** First in, first out. */
class QueueBuffer<T> implements EventBuffer<T> {
  readonly #capacity: number;
  readonly #dropsOldest: boolean;
  #events: (T | undefined)[] = [];
  /** How many of them were read. */
  #head = 0;
  #dropped = 0;

  constructor(capacity: number, policy: "error" | "drop-oldest") {
    this.#capacity = capacity;
    this.#dropsOldest = policy === "drop-oldest";
  }

  get size(): number {
    return this.#events.length - this.#head;
  }

  get dropped(): number {
    return this.#dropped;
  }

  push(_key: string, event: T): boolean {
    if (this.size === this.#capacity) {
      if (!this.#dropsOldest) return false;
      this.shift();
      this.#dropped += 1;
    }
    this.#events.push(event);
    return true;
  }

  shift(): T | undefined {
    const head = this.#head;
    if (this.size === 0) return undefined;
    const event = this.#events[head];
    this.#events[head] = undefined;
    this.#head = head + 1;
    if (head >= READ_EVENTS_KEPT && head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(head + 1);
      this.#head = 0;
    }
    return event;
  }

  clear(): void {
    this.#events = [];
    this.#head = 0;
  }
}

/** The newest event per key; a key keeps its place in the queue while its event is replaced. */
class LatestBuffer<T> implements EventBuffer<T> {
  readonly #capacity: number;
  readonly #events = new Map<string, T>();
  #dropped = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#events.size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  push(key: string, event: T): boolean {
    if (this.#events.has(key)) {
      this.#dropped += 1;
    } else if (this.#events.size === this.#capacity) {
      this.shift();
      this.#dropped += 1;
    }
    this.#events.set(key, event);
    return true;
  }

  shift(): T | undefined {
    for (const [key, event] of this.#events) {
      this.#events.delete(key);
      return event;
    }
    return undefined;
  }

  clear(): void {
    this.#events.clear();
  }
}
