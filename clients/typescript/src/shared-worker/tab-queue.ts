import { BufferOverflowError } from "../errors.ts";
import type { MarketEvent } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { packError, type TabItem } from "./port-messages.ts";

/** Messages to a tab that it has not answered yet. */
const UNANSWERED_MAX = 8;
/** Items of one message. */
const ITEMS_MAX = 2_000;

/** States of which only the latest matters: a tab that is behind gets that. */
const LATEST_TYPES: ReadonlySet<MarketEvent["type"]> = new Set([
  "quote",
  "ticker",
  "funding",
  "mark-price",
  "open-interest",
]);

/** What a tab's queue asks of who fills it. */
type TabQueueHost = {
  readonly post: (items: readonly TabItem[]) => void;
  /** The consumer has too much waiting, and gets nothing more. */
  readonly overflow: (id: number) => void;
  /** The book of the consumer is to be given whole, because changes to it were given up. */
  readonly rebase: (id: number) => void;
};

/**
 * What one tab is owed. A tab answers each message that it has handled; while too many are
 * unanswered, items wait here, by the rules of the streams: of states the latest, of a book the
 * whole of it later, of events all up to a limit, beyond which their consumer is ended.
 */
export class TabQueue {
  readonly #host: TabQueueHost;
  #items: TabItem[] = [];
  /** Where the waiting state of a consumer's topic is. */
  readonly #latest = new Map<string, number>();
  readonly #waiting = new Map<number, number>();
  #unanswered = 0;
  #isScheduled = false;

  constructor(host: TabQueueHost) {
    this.#host = host;
  }

  /** Items that wait. */
  get length(): number {
    return this.#items.length;
  }

  /** Hands on one event of a consumer that may have so many waiting. */
  event(id: number, event: MarketEvent, eventsMax: number): void {
    if (LATEST_TYPES.has(event.type)) {
      const key = keyOf(id, event);
      const at = this.#latest.get(key);
      if (at !== undefined && this.#unanswered >= UNANSWERED_MAX) {
        this.#items[at] = { id, event };
        return;
      }
      this.#latest.set(key, this.#items.length);
    } else if (this.#isFull(id, eventsMax)) {
      if (event.type === "book") {
        this.forget(id);
        this.#host.rebase(id);
      } else this.#overflow(id, eventsMax);
      return;
    }
    this.push({ id, event });
  }

  /** The same of a notice, which counts as an event does. */
  notice(id: number, notice: NoticeEvent, eventsMax: number): void {
    if (this.#isFull(id, eventsMax)) this.#overflow(id, eventsMax);
    else this.push({ id, notice });
  }

  #isFull(id: number, eventsMax: number): boolean {
    return (this.#waiting.get(id) ?? 0) >= eventsMax;
  }

  #overflow(id: number, eventsMax: number): void {
    this.forget(id);
    this.#host.overflow(id);
    this.push({ id, ended: packError(new BufferOverflowError(eventsMax)) });
  }

  /** Hands on an item in its place. */
  push(item: TabItem): void {
    this.#waiting.set(item.id, (this.#waiting.get(item.id) ?? 0) + 1);
    this.#items.push(item);
    this.#schedule();
  }

  /** What waits for a consumer is not wanted any more. */
  forget(id: number): void {
    this.#waiting.delete(id);
    this.#items = this.#items.filter((item) => item.id !== id);
    // Places have moved.
    this.#latest.clear();
    for (const [at, item] of this.#items.entries()) {
      if ("event" in item && LATEST_TYPES.has(item.event.type)) {
        this.#latest.set(keyOf(item.id, item.event), at);
      }
    }
  }

  /** The tab has handled a message. */
  answered(): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    if (this.#items.length > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#unanswered >= UNANSWERED_MAX) return;
    this.#isScheduled = true;
    // What one frame of the gateway brings goes in one message.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#items.length > 0 && this.#unanswered < UNANSWERED_MAX) {
      const items = this.#items.splice(0, ITEMS_MAX);
      for (const { id } of items) {
        const left = (this.#waiting.get(id) ?? 1) - 1;
        if (left > 0) this.#waiting.set(id, left);
        else this.#waiting.delete(id);
      }
      // Places have moved; a state that waits still is replaced by its next, behind it.
      this.#latest.clear();
      this.#unanswered += 1;
      this.#host.post(items);
    }
  }
}

function keyOf(id: number, { topic }: MarketEvent): string {
  return `${id} ${topic}`;
}
