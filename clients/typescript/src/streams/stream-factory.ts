import { ConnectionError, TickwireError } from "../errors.ts";
import type { MarketEvent } from "../events/market-event.ts";
import type { ClientSession, TopicSource } from "../session/client-session.ts";
import type { ClientStats } from "../stats/stream-stats.ts";
import type { ChannelSource } from "../topics/channel-source.ts";
import { Consumer, type ConsumerHandlers } from "../topics/consumer.ts";
import type { ClientCounters } from "../topics/stream-counters.ts";
import { fullTopics, type Channel, type Topics } from "../topics/topic.ts";
import type { ViewWish } from "../topics/view-wish.ts";
import type { OverflowPolicy } from "./event-buffer.ts";
import { BufferedStream, type EventStream } from "./event-stream.ts";
import {
  assertViewOptions,
  bufferOptions,
  type BufferOptions,
  type CallbackOptions,
  type StreamDefaults,
  type StreamOptions,
  type SubscribeOptions,
  type Subscription,
  type ViewOptions,
} from "./stream-options.ts";

/** Nobody reads a page that is hidden, and timers there run once a second at most. */
const HIDDEN_INTERVAL_MS = 1_000;

/** Called with each event of a subscription. */
export type EventCallback<Event> = (event: Event) => void;

/** What a consumer does so that `push` gets what it is about. None of it may throw. */
export type HandlersOf<T> = (push: (item: T) => void) => Omit<ConsumerHandlers, "end">;

/** A topic carries events of its channel only. */
function eventsTo<T>(push: (item: T) => void): Omit<ConsumerHandlers, "end"> {
  return { event: push as unknown as (event: MarketEvent) => void };
}

/** Makes the streams and callback subscriptions of one client, and attaches them to its topics. */
export class StreamFactory {
  readonly #session: ClientSession;
  readonly #subscriptions: TopicSource;
  readonly #defaults: BufferOptions;
  readonly #channels: ChannelSource;

  /** Of a client that reads the channels, with its options. Throws RangeError for a bad one. */
  constructor(session: ClientSession, channels: ChannelSource, options: StreamDefaults) {
    this.#defaults = bufferOptions(options);
    this.#session = session;
    this.#channels = channels;
    const { hiddenIntervalMs = HIDDEN_INTERVAL_MS } = options;
    this.#subscriptions = session.openTopics(channels, hiddenIntervalMs);
  }

  /** What the client received so far. */
  get counters(): ClientCounters {
    return this.#subscriptions.counters;
  }

  /** The same in rates, by topic, and how late it came. */
  stats(): ClientStats {
    return this.#subscriptions.stats();
  }

  /** A stream of what a channel gives, its events unless `handlersOf` says otherwise. */
  stream<T extends { readonly topic: string }>(
    channel: Channel,
    topics: Topics,
    options: StreamOptions = {},
    overflow: OverflowPolicy,
    handlersOf: HandlersOf<T> = eventsTo,
  ): EventStream<T> {
    const buffer = bufferOptions(options, this.#defaults);
    const { link } = this.#session;
    const policy = buffer.overflow ?? overflow;
    const stream = new BufferedStream<T>(buffer.bufferEventsMax, policy, link);
    const consumer = this.#attach(channel, topics, options, {
      ...handlersOf((item) => stream.push(item)),
      // An abort drops what is buffered; the end of the client does not.
      end: (error) => (options.signal?.aborted === true ? stream.close() : stream.end(error)),
    });
    stream.fedBy({
      refusals: () => consumer.refusals,
      update: (view) => this.#update(channel, topics, view),
      release: () => consumer.close(undefined),
    });
    return stream;
  }

  /** The same for a callback. Errors go to `onError`, or to the host. */
  callback<T>(
    channel: Channel | undefined,
    topics: Topics,
    callback: EventCallback<T>,
    options: CallbackOptions = {},
    handlersOf: HandlersOf<T> = eventsTo,
  ): Subscription {
    const onError = this.#guarded(options.onError ?? this.#session.link.reportUncaught);
    const consumer = this.#attach(channel, topics, options, {
      ...handlersOf(this.#guarded(callback)),
      end: (error) => {
        if (error !== undefined) onError(error);
      },
    });
    const close = () => consumer.close(undefined);
    return {
      update: (view) => {
        assertViewOptions(view);
        if (!consumer.closed) this.#update(channel, topics, view);
      },
      close,
      get closed() {
        return consumer.closed;
      },
      get refusals() {
        return consumer.refusals;
      },
      [Symbol.dispose]: close,
    };
  }

  #attach(
    channel: Channel | undefined,
    topics: Topics,
    options: SubscribeOptions,
    handlers: ConsumerHandlers,
  ): Consumer {
    const full = fullTopics(topics, channel, this.#channels.names);
    const { signal, onNotice, onRefused, depth, conflationIntervalMs, snapshot, checksum } =
      options;
    assertViewOptions(options);
    const told = onNotice && this.#guarded(onNotice);
    const { notice } = handlers;
    const consumer = new Consumer(full, {
      ...handlers,
      notice: notice
        ? (given) => {
            notice(given);
            told?.(given);
          }
        : told,
      refused: onRefused && this.#guarded(onRefused),
    });
    if (signal?.aborted === true) {
      consumer.close(undefined);
      return consumer;
    }
    if (this.#session.state === "closed") {
      // A program that loops for ever must see why nothing comes.
      const message = "the client is closed, and no stream can begin";
      throw this.#session.endError ?? new ConnectionError("client-closed", message);
    }
    const wireOptions = {
      depth: depth ?? 0,
      conflationIntervalMs: conflationIntervalMs ?? 0,
      snapshot: snapshot ?? true,
      checksum: checksum ?? false,
    };
    const onAbort = () => consumer.close(undefined);
    const release = () => signal?.removeEventListener("abort", onAbort);
    const attach = () => this.#subscriptions.attach(full, wireOptions, consumer, release);
    const loading = this.#channels.load(full);
    if (loading === undefined) attach();
    else {
      consumer.onClose(release);
      // It never rejects.
      void this.#attachLater(loading, consumer, attach);
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    return consumer;
  }

  /** What attaching would have thrown ends the consumer, as does the end of the client. */
  async #attachLater(loading: Promise<unknown>, consumer: Consumer, attach: () => void) {
    const session = this.#session;
    const stop = session.onState((state) => {
      if (state === "closed") consumer.close(session.endError);
    });
    try {
      await loading;
      if (!consumer.closed) attach();
    } catch (cause) {
      consumer.close(cause instanceof TickwireError ? cause : notLoaded(cause));
    }
    stop();
  }

  #update(channel: Channel | undefined, topics: Topics, view: ViewOptions): void {
    assertViewOptions(view);
    const wish = Object.fromEntries(
      Object.entries(view).filter(([, value]) => value !== undefined),
    ) as Partial<ViewWish>;
    const full = fullTopics(topics, channel, this.#channels.names);
    const update = () => this.#subscriptions.update(full, wish);
    const loading = this.#channels.load(full);
    if (loading === undefined) update();
    // Whoever waits for the same is attached before; without its code there is nothing to update.
    else void loading.then(update, () => undefined);
  }

  /** A callback of the user must not break the reading of a frame. */
  #guarded<Argument>(callback: (argument: Argument) => void): (argument: Argument) => void {
    return (argument) => {
      try {
        callback(argument);
      } catch (error) {
        this.#session.link.reportUncaught(error);
      }
    };
  }
}

function notLoaded(cause: unknown): ConnectionError {
  const message = "the code of the channel could not be loaded";
  return new ConnectionError("connect-failed", message, { retryable: true, cause });
}
