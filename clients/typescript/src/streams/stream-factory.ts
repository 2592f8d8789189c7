import { ConnectionError } from "../errors.ts";
import type { MarketEvent } from "../events/market-event.ts";
import { assertChoiceOption, assertIntegerOption, UINT32_MAX } from "../host/option-checks.ts";
import type { Session } from "../session/session.ts";
import { Consumer, type ConsumerHandlers } from "../topics/consumer.ts";
import type { Subscriptions } from "../topics/subscriptions.ts";
import { fullTopics, type Channel, type TopicInfo, type Topics } from "../topics/topic.ts";
import { OVERFLOW_POLICIES, type OverflowPolicy } from "./event-buffer.ts";
import { BufferedStream } from "./event-stream.ts";
import type {
  CandleOptions,
  BufferDefaults,
  CallbackOptions,
  StreamOptions,
  SubscribeOptions,
  Subscription,
} from "./stream-options.ts";

/** Called with each event of a subscription. */
export type EventCallback<Event> = (event: Event) => void;

/** Makes the streams and callback subscriptions of one client, and attaches them to its topics. */
export class StreamFactory {
  readonly #session: Session;
  readonly #subscriptions: Subscriptions;
  readonly #defaults: BufferDefaults;

  constructor(session: Session, subscriptions: Subscriptions, defaults: BufferDefaults) {
    this.#session = session;
    this.#subscriptions = subscriptions;
    this.#defaults = defaults;
  }

  /** A stream with its buffer, attached to nothing yet. Throws RangeError for a bad option. */
  create<T extends { readonly topic: string }>(
    options: StreamOptions,
    overflow: OverflowPolicy,
  ): BufferedStream<T> {
    assertChoiceOption("overflow", options.overflow, OVERFLOW_POLICIES);
    return new BufferedStream<T>(
      options.bufferEventsMax ?? this.#defaults.bufferEventsMax,
      options.overflow ?? this.#defaults.overflow ?? overflow,
    );
  }

  /** A stream of the events of one channel. */
  events<Event extends MarketEvent>(
    channel: Channel,
    topics: Topics,
    options: StreamOptions = {},
    overflow: OverflowPolicy,
    wanted?: (event: Event) => boolean,
  ): BufferedStream<Event> {
    const stream = this.create<Event>(options, overflow);
    // A topic carries events of its channel only.
    const push = (event: MarketEvent) => stream.push(event as Event);
    const event =
      wanted === undefined
        ? push
        : (candidate: MarketEvent) => {
            if (wanted(candidate as Event)) stream.push(candidate as Event);
          };
    this.attachStream(channel, topics, options, stream, { event });
    return stream;
  }

  /** Attaches a stream to topics, so that the end of either is the end of both. */
  attachStream<T extends { readonly topic: string }>(
    channel: Channel,
    topics: Topics,
    options: StreamOptions,
    stream: BufferedStream<T>,
    handlers: Omit<ConsumerHandlers, "end">,
  ): void {
    const consumer = this.#attach(channel, topics, options, {
      ...handlers,
      // An abort drops what is buffered; the end of the client does not.
      end: (error) => (options.signal?.aborted === true ? stream.close() : stream.end(error)),
    });
    stream.fedBy(
      () => consumer.refusals,
      () => consumer.close(undefined),
    );
  }

  /** A callback subscription to the events of one channel. */
  callback<Event extends MarketEvent>(
    channel: Channel,
    topics: Topics,
    callback: EventCallback<Event>,
    options: CallbackOptions = {},
  ): Subscription {
    const event = this.guarded(callback) as EventCallback<MarketEvent>;
    return this.attachCallback(channel, topics, options, { event });
  }

  /** Attaches handlers to topics; errors go to `onError`, or to the host. */
  attachCallback(
    channel: Channel | undefined,
    topics: Topics,
    options: CallbackOptions,
    handlers: Omit<ConsumerHandlers, "end">,
  ): Subscription {
    const onError = this.guarded(options.onError ?? this.#session.link.reportUncaught);
    const consumer = this.#attach(channel, topics, options, {
      ...handlers,
      end: (error) => {
        if (error !== undefined) onError(error);
      },
    });
    const close = () => consumer.close(undefined);
    return {
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
    options: SubscribeOptions & CandleOptions,
    handlers: ConsumerHandlers,
  ): Consumer {
    const full = fullTopics(topics, channel);
    const { signal, onNotice, onRefused, depth, conflationIntervalMs, snapshot } = options;
    const { intervalMs } = options;
    assertIntegerOption("intervalMs", intervalMs, { min: 1, max: UINT32_MAX });
    assertIntegerOption("depth", depth, { min: 0, max: UINT32_MAX });
    const conflation = { min: 0, max: UINT32_MAX };
    assertIntegerOption("conflationIntervalMs", conflationIntervalMs, conflation);
    const consumer = new Consumer(full, {
      ...handlers,
      notice: onNotice && this.guarded(onNotice),
      refused: onRefused && this.guarded(onRefused),
      misfit: intervalMs === undefined ? undefined : (info) => unknownInterval(info, intervalMs),
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
    };
    const onAbort = () => consumer.close(undefined);
    this.#subscriptions.attach(full, wireOptions, consumer, () =>
      signal?.removeEventListener("abort", onAbort),
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    return consumer;
  }

  /** A callback of the user must not break the reading of a frame. */
  guarded<Argument>(callback: (argument: Argument) => void): (argument: Argument) => void {
    return (argument) => {
      try {
        callback(argument);
      } catch (error) {
        this.#session.link.reportUncaught(error);
      }
    };
  }
}

/** The refusal of candles of a length that the topic does not have. */
function unknownInterval({ candleIntervalsMs: known = [] }: TopicInfo, intervalMs: number) {
  if (known.length === 0 || known.includes(intervalMs)) return undefined;
  const message = `there are no candles of ${intervalMs} ms; there are ${known.join(", ")}`;
  return { code: "topic-unknown-interval" as const, message, alternatives: known.map(String) };
}
