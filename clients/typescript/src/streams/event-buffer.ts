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

/** Throws RangeError unless `capacity` is an integer of at least 1. */
export function createEventBuffer<T>(capacity: number, policy: OverflowPolicy): EventBuffer<T> {
  if (!Number.isInteger(capacity) || capacity < 1) {
    throw new RangeError(`bufferEventsMax ${capacity} is not an integer of at least 1`);
  }
  return policy === "latest" ? new LatestBuffer(capacity) : new RingBuffer(capacity, policy);
}

const RING_LENGTH_MIN = 16;

/** First in, first out, in an array that doubles up to the capacity. */
class RingBuffer<T> implements EventBuffer<T> {
  readonly #capacity: number;
  readonly #dropsOldest: boolean;
  #ring: (T | undefined)[];
  #head = 0;
  #size = 0;
  #dropped = 0;

  constructor(capacity: number, policy: "error" | "drop-oldest") {
    this.#capacity = capacity;
    this.#dropsOldest = policy === "drop-oldest";
    this.#ring = Array.from({ length: Math.min(capacity, RING_LENGTH_MIN) });
  }

  get size(): number {
    return this.#size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  push(_key: string, event: T): boolean {
    if (this.#size === this.#capacity) {
      if (!this.#dropsOldest) return false;
      this.shift();
      this.#dropped += 1;
    } else if (this.#size === this.#ring.length) {
      this.#grow();
    }
    this.#ring[(this.#head + this.#size) % this.#ring.length] = event;
    this.#size += 1;
    return true;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const event = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#size -= 1;
    return event;
  }

  clear(): void {
    this.#ring = Array.from({ length: Math.min(this.#capacity, RING_LENGTH_MIN) });
    this.#head = 0;
    this.#size = 0;
  }

  #grow(): void {
    const length = Math.min(this.#capacity, this.#ring.length * 2);
    const ring: (T | undefined)[] = Array.from({ length });
    for (let index = 0; index < this.#size; index++) {
      ring[index] = this.#ring[(this.#head + index) % this.#ring.length];
    }
    this.#ring = ring;
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
