import type { TopicRecord } from "./topic-record.ts";

type Slots = (TopicRecord | undefined)[];

/**
 * Topics in which something waits for the next flush, in the order in which it began to wait. Two
 * lists take turns and keep their room, because a list that is made anew grows with every flush.
 */
export class DirtyTopics {
  #waiting: Slots = [];
  #count = 0;
  /** Undefined while it is being emptied. */
  #spare: Slots | undefined = [];

  /** Called once for a topic until it was taken. */
  add(topic: TopicRecord): void {
    this.#waiting[this.#count] = topic;
    this.#count += 1;
  }

  /** Takes all of them; what is added meanwhile waits for the next time. */
  takeAll(take: (topic: TopicRecord) => void): void {
    const taken = this.#waiting;
    const count = this.#count;
    this.#waiting = this.#spare ?? [];
    this.#spare = undefined;
    this.#count = 0;
    for (let index = 0; index < count; index += 1) {
      const topic = taken[index]!;
      taken[index] = undefined;
      take(topic);
    }
    this.#spare = taken;
  }

  clear(): void {
    this.#waiting.fill(undefined);
    this.#count = 0;
  }
}
