/// <reference lib="esnext.disposable" preserve="true" />
import { BufferOverflowError, TickwireError, type TopicRefusal } from "../errors.ts";
import type { ViewOptions } from "./stream-options.ts";
import { createEventBuffer, type EventBuffer, type OverflowPolicy } from "./event-buffer.ts";

type Waiter<T> = {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: TickwireError) => void;
};

/** What a stream needs of who fills it. */
type StreamSource = {
  /** The topics that were refused so far. */
  readonly refusals: () => readonly TopicRefusal[];
  readonly update: (options: ViewOptions) => void;
  /** Called once when the stream ends. */
  readonly release: () => void;
};

/** What came since the last frame. */
export type FrameUpdate<T> = {
  /** What the stream's buffer held, oldest first. */
  readonly events: readonly T[];
  /** The newest of them of each topic. */
  readonly latest: ReadonlyMap<string, T>;
};

/** What a stream needs of its host. */
type StreamHost = {
  readonly nextFrame: (callback: () => void) => () => void;
  readonly reportUncaught: (error: unknown) => void;
};

const DONE: IteratorResult<never, undefined> = { value: undefined, done: true };

/**
 * Events for one `for await` loop. Events that arrive while the loop is busy wait in a buffer of
 * `bufferEventsMax`; the policy decides what happens to the next. Leaving the loop, `close()` and
 * an abort unsubscribe and end it cleanly; an error is thrown to the loop after what was buffered.
 */
export type EventStream<T> = AsyncDisposable & {
  /** Events that the policy dropped or replaced since the start. */
  readonly dropped: number;
  /** Events that wait to be read. */
  readonly buffered: number;
  /** The topics that were refused so far, while others go on. */
  readonly refusals: readonly TopicRefusal[];
  /**
   * Shows its topics in another way from now on, without a gap, to everybody on this client who has
   * them. Throws RangeError for a value out of range. Nothing happens after the end.
   */
  update(options: ViewOptions): void;
  /** The next event; done after the end. Rejects once with the error that ended the stream. */
  next(): Promise<IteratorResult<T, undefined>>;
  /** Called by `for await` when its loop is left. */
  return(): Promise<IteratorResult<T, undefined>>;
  /** Unsubscribes, drops what is buffered and ends the iteration. Idempotent. */
  close(): void;
  /**
   * In place of a loop: calls back at most once for each frame that the page draws, with what came
   * since the last; once a second while the page is hidden, every 16 ms where nothing is drawn.
   * Resolves when the stream ends, or rejects with what ended it, and with TickwireError
   * `stream-consumed` where there is a loop already.
   */
  onFrame(callback: (update: FrameUpdate<T>) => void): Promise<void>;
  /** For one loop. Throws TickwireError `stream-consumed` for a second one. */
  [Symbol.asyncIterator](): EventStream<T>;
};

/** A stream as the client fills it. */
export class BufferedStream<T extends { readonly topic: string }> implements EventStream<T> {
  readonly #buffer: EventBuffer<T>;
  readonly #bufferEventsMax: number;
  readonly #waiters: Waiter<T>[] = [];
  readonly #host: StreamHost;
  #frames: FrameReader<T> | undefined;
  #source: StreamSource | undefined;
  #ended = false;
  #hasConsumer = false;
  #error: TickwireError | undefined;

  /** `bufferEventsMax` is an integer of at least 1. */
  constructor(bufferEventsMax: number, overflow: OverflowPolicy, host: StreamHost) {
    this.#host = host;
    this.#buffer = createEventBuffer(bufferEventsMax, overflow);
    this.#bufferEventsMax = bufferEventsMax;
  }

  /** Events that the policy dropped or replaced since the start. */
  get dropped(): number {
    return this.#buffer.dropped;
  }

  /** Events that wait to be read. */
  get buffered(): number {
    return this.#buffer.size;
  }

  /** The topics that were refused so far, while others go on. */
  get refusals(): readonly TopicRefusal[] {
    return this.#source?.refusals() ?? [];
  }

  /** Shows its topics in another way from now on. Nothing happens after the end. */
  update(options: ViewOptions): void {
    if (!this.#ended) this.#source?.update(options);
  }

  /** The next event; done after the end. Rejects once with the error that ended the stream. */
  next(): Promise<IteratorResult<T, undefined>> {
    const event = this.#buffer.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  /** Called by `for await` when its loop is left. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  /** Unsubscribes, drops what is buffered and ends the iteration. Idempotent. */
  close(): void {
    this.#buffer.clear();
    this.#error = undefined;
    this.end(undefined);
  }

  /** The stream itself. A second loop would take events from the first. */
  [Symbol.asyncIterator](): this {
    this.#takeConsumer();
    return this;
  }

  /** In place of a loop: what came since the last frame that was drawn. */
  async onFrame(callback: (update: FrameUpdate<T>) => void): Promise<void> {
    this.#takeConsumer();
    const ended = new Promise<void>((resolve, reject) => {
      this.#frames = new FrameReader(this.#host, this.#buffer, callback, () => {
        const error = this.#error;
        this.#error = undefined;
        if (error === undefined) resolve();
        else reject(error);
      });
    });
    if (this.#buffer.size > 0) this.#frames?.schedule();
    if (this.#ended) this.#frames?.end();
    await ended;
  }

  #takeConsumer(): void {
    if (this.#hasConsumer) {
      const message = "a stream is for one loop; a second one needs a stream of its own";
      throw new TickwireError("stream-consumed", message);
    }
    this.#hasConsumer = true;
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Takes who fills it. */
  fedBy(source: StreamSource): void {
    this.#source = source;
    if (this.#ended) source.release();
  }

  /** Hands on one event. */
  push(event: T): void {
    if (this.#ended) return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.resolve({ value: event, done: false });
    else if (!this.#buffer.push(event.topic, event)) {
      this.end(new BufferOverflowError(this.#bufferEventsMax));
    } else this.#frames?.schedule();
  }

  /** Nothing follows. Idempotent. */
  end(error: TickwireError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const waiters = this.#waiters.splice(0);
    if (error !== undefined) {
      const first = waiters.shift();
      if (first === undefined) this.#error = error;
      else first.reject(error);
    }
    for (const waiter of waiters) waiter.resolve(DONE);
    this.#source?.release();
    this.#frames?.end();
  }
}

/** Hands on what a stream holds, once a frame. */
class FrameReader<T extends { readonly topic: string }> {
  readonly #host: StreamHost;
  readonly #buffer: EventBuffer<T>;
  readonly #callback: (update: FrameUpdate<T>) => void;
  readonly #onEnd: () => void;
  #cancel: (() => void) | undefined;

  constructor(
    host: StreamHost,
    buffer: EventBuffer<T>,
    callback: (update: FrameUpdate<T>) => void,
    onEnd: () => void,
  ) {
    this.#host = host;
    this.#buffer = buffer;
    this.#callback = callback;
    this.#onEnd = onEnd;
  }

  /** There is something to hand on. */
  schedule(): void {
    this.#cancel ??= this.#host.nextFrame(() => {
      this.#cancel = undefined;
      this.#handOn();
    });
  }

  /** Nothing follows: hands on what is left, and says so. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#handOn();
    this.#onEnd();
  }

  #handOn(): void {
    const events: T[] = [];
    const latest = new Map<string, T>();
    for (let event = this.#buffer.shift(); event !== undefined; event = this.#buffer.shift()) {
      events.push(event);
      latest.set(event.topic, event);
    }
    if (events.length === 0) return;
    try {
      this.#callback({ events, latest });
    } catch (error) {
      this.#host.reportUncaught(error);
    }
  }
}
