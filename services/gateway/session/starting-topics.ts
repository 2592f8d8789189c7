import type { TopicRefusal } from "./topic-results.ts";
import type { HeldTopic } from "./subscribe-answer.ts";

const GIVEN_UP: TopicRefusal = {
  error: "TOPIC_ERROR_NOT_SUBSCRIBED",
  message: "it was unsubscribed before it had started",
};

/** The waits for one topic: mostly one, which needs no set. */
type Waits = HeldTopic | Set<HeldTopic>;

/**
 * The topics of one session that are held and have not started. Several requests may wait for one
 * topic; it counts once.
 */
export class StartingTopics {
  /** Undefined while there are none, as it is for most of the time. */
  #byTopic: Map<string, Waits> | undefined;
  #waits = 0;

  /** Topics, each once. */
  get size(): number {
    return this.#byTopic?.size ?? 0;
  }

  /** Waits of all requests together. */
  get waits(): number {
    return this.#waits;
  }

  has(topic: string): boolean {
    return this.#byTopic?.has(topic) ?? false;
  }

  /** The waits for one topic. */
  of(topic: string): Iterable<HeldTopic> {
    return each(this.#byTopic?.get(topic));
  }

  add(want: HeldTopic): void {
    const byTopic = (this.#byTopic ??= new Map<string, Waits>());
    const same = byTopic.get(want.topic);
    if (same === undefined) byTopic.set(want.topic, want);
    else if (same instanceof Set) same.add(want);
    else byTopic.set(want.topic, new Set([same, want]));
    this.#waits += 1;
  }

  /** The topic has started for this request, or will not. */
  remove(want: HeldTopic): void {
    const same = this.#byTopic?.get(want.topic);
    const isHere = same instanceof Set ? same.delete(want) : same === want;
    if (!isHere) return;
    this.#waits -= 1;
    if (same instanceof Set && same.size > 0) return;
    this.#byTopic?.delete(want.topic);
    if (this.size === 0) this.#byTopic = undefined;
  }

  /** Ends what requests before `order` wait for. False if they do not. */
  giveUp(topic: string, order: number, refusal: TopicRefusal = GIVEN_UP): boolean {
    return this.#giveUpSome([...this.of(topic)], order, refusal);
  }

  /** The same for everything that a pattern brings. */
  giveUpPattern(text: string, order: number): void {
    const ofPattern = [...this.all()].filter(
      ({ subscription }) => subscription.pattern?.text === text,
    );
    this.#giveUpSome(ofPattern, order, GIVEN_UP);
  }

  /** All of them. */
  *all(): Iterable<HeldTopic> {
    for (const same of this.#byTopic?.values() ?? []) yield* each(same);
  }

  #giveUpSome(wants: readonly HeldTopic[], order: number, refusal: TopicRefusal): boolean {
    let isAny = false;
    for (const want of wants) {
      if (want.order >= order) continue;
      isAny = true;
      // What is settled has not been said yet, else it were not here.
      want.giveUp(refusal);
    }
    return isAny;
  }
}

function each(waits: Waits | undefined): Iterable<HeldTopic> {
  if (waits === undefined) return [];
  return waits instanceof Set ? waits : [waits];
}
