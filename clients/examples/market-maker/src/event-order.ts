/** Something that came on one of several topics. */
export type Arrival<Value> = {
  /** Which of the topics, from 0. */
  readonly topic: number;
  readonly timeUs: number;
  readonly value: Value;
};

/**
 * Puts what comes on several topics into one order: by time, then by topic, then as it came. The
 * same events give the same order however they were interleaved on their way, so that a strategy
 * decides live what it decides on a recording.
 *
 * An event waits until every topic has come as far, or until another one is `holdUs` newer: a topic
 * on which nothing happens holds nobody up for longer. What comes later than that is `late`: it is
 * handed on at once, and what follows cannot be compared any more.
 */
export class EventOrder<Value> {
  readonly #take: (arrival: Arrival<Value>) => void;
  readonly #holdUs: number;
  readonly #reached: number[];
  /** In order. */
  readonly #waiting: Arrival<Value>[] = [];
  #releasedUs = -Infinity;
  #late = 0;

  constructor(options: {
    readonly topics: number;
    readonly holdUs: number;
    readonly take: (arrival: Arrival<Value>) => void;
  }) {
    this.#take = options.take;
    this.#holdUs = options.holdUs;
    this.#reached = Array.from({ length: options.topics }, () => -Infinity);
  }

  /** Events that came too late to be put in order. */
  get late(): number {
    return this.#late;
  }

  /** Takes the next arrival, and hands on what waits for nothing more. */
  add(arrival: Arrival<Value>): void {
    const { topic, timeUs } = arrival;
    this.#reached[topic] = Math.max(this.#reached[topic] ?? -Infinity, timeUs);
    if (timeUs < this.#releasedUs) {
      this.#late += 1;
      this.#take(arrival);
      return;
    }
    let index = this.#waiting.length;
    while (index > 0 && isBefore(arrival, this.#waiting[index - 1])) index -= 1;
    this.#waiting.splice(index, 0, arrival);
    const newestUs = Math.max(...this.#reached);
    // What comes at the very time that a topic has reached may still come before what waits there.
    this.#release((waiting) => {
      return waiting < Math.min(...this.#reached) || waiting <= newestUs - this.#holdUs;
    });
  }

  /** Nothing more comes: hands on the rest. */
  end(): void {
    this.#release(() => true);
  }

  #release(isReady: (timeUs: number) => boolean): void {
    let count = 0;
    for (const { timeUs } of this.#waiting) {
      if (!isReady(timeUs)) break;
      count += 1;
    }
    for (const arrival of this.#waiting.splice(0, count)) {
      this.#releasedUs = arrival.timeUs;
      this.#take(arrival);
    }
  }
}

function isBefore(one: Arrival<unknown>, other: Arrival<unknown> | undefined): boolean {
  if (other === undefined) return false;
  return one.timeUs < other.timeUs || (one.timeUs === other.timeUs && one.topic < other.topic);
}
