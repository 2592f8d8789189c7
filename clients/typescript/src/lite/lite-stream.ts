/// <reference lib="esnext.disposable" preserve="true" />
import { BufferOverflowError, TickwireError } from "../errors.ts";
import type { TopicRefusal } from "../errors.ts";
import type { EventStream } from "../streams/event-stream.ts";

type Waiter<T> = {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: TickwireError) => void;
};

/**
 * Events for one `for await` loop, as in `@tickwire/client`; its view cannot be changed, and
 * `onFrame()` hands them to what is drawn.
 */
export type LiteStream<T> = Omit<
  EventStream<T>,
  "update" | "onFrame" | typeof Symbol.asyncIterator
> &
  AsyncIterableIterator<T, undefined>;

const DONE: IteratorResult<never, undefined> = { value: undefined, done: true };

/** A stream as its client fills it; `keepsLatest` of each topic, or every event. */
export class OpenStream<T extends { readonly topic: string }> implements LiteStream<T> {
  readonly refusals: TopicRefusal[] = [];
  dropped = 0;
  readonly #bufferEventsMax: number;
  readonly #keepsLatest: boolean;
  /** In the order in which they came, or, for the latest, in which their topics did. */
  readonly #events = new Map<string | number, T>();
  #pushed = 0;
  readonly #waiters: Waiter<T>[] = [];
  #isTaken = false;
  #isOver = false;
  #error: TickwireError | undefined;
  readonly #release: () => void;

  /** `release` is called once, at the end. */
  constructor(bufferEventsMax: number, keepsLatest: boolean, release: () => void) {
    this.#bufferEventsMax = bufferEventsMax;
    this.#keepsLatest = keepsLatest;
    this.#release = release;
  }

  get buffered(): number {
    return this.#events.size;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#shift();
    if (value !== undefined) return { value, done: false };
    this.#throwOnce();
    return this.#isOver
      ? DONE
      : new Promise((resolve, reject) => {
          this.#waiters.push({ resolve, reject });
        });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.close();
    return DONE;
  }

  close(): void {
    this.#events.clear();
    this.#error = undefined;
    this.end();
  }

  [Symbol.asyncIterator](): this {
    this.#take();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Hands on one event. */
  push(event: T): void {
    if (this.#isOver) return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ value: event, done: false });
      return;
    }
    const events = this.#events;
    const key = this.#keepsLatest ? event.topic : this.#pushed++;
    if (events.has(key)) this.dropped += 1;
    else if (events.size === this.#bufferEventsMax) {
      if (!this.#keepsLatest) {
        this.end(new BufferOverflowError(this.#bufferEventsMax));
        return;
      }
      this.#shift();
      this.dropped += 1;
    }
    events.set(key, event);
  }

  /** Nothing follows. Idempotent. */
  end(error?: TickwireError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const waiters = this.#waiters.splice(0);
    if (error !== undefined && waiters.length > 0) waiters.shift()!.reject(error);
    else this.#error = error;
    for (const waiter of waiters) waiter.resolve(DONE);
    this.#release();
  }

  #shift(): T | undefined {
    for (const [key, event] of this.#events) {
      this.#events.delete(key);
      return event;
    }
    return undefined;
  }

  #throwOnce(): void {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }

  /** A second loop would take events from the first. */
  #take(): void {
    if (this.#isTaken) throw new TickwireError("stream-consumed", "a stream is for one loop");
    this.#isTaken = true;
  }
}
