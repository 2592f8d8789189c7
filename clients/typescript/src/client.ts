/// <reference lib="esnext.disposable" preserve="true" />
import type { LiveBook } from "./events/book.ts";
import { Consumer, type ConsumerHandlers } from "./topics/consumer.ts";
import { OVERFLOW_POLICIES, type OverflowPolicy } from "./streams/event-buffer.ts";
import { EventStream } from "./streams/event-stream.ts";
import type { TickwireError, TopicRefusal } from "./errors.ts";
import type { MarketEvent } from "./events/events.ts";
import type { BookEvent, Quote, Trade } from "./events/hot-events.ts";
import { assertChoiceOption, assertIntegerOption, UINT32_MAX } from "./host/option-checks.ts";
import type { Rpc } from "./rpc/calls.ts";
import type {
  Candle,
  Funding,
  Liquidation,
  MarkPrice,
  OpenInterest,
  Status,
  Ticker,
} from "./events/row-events.ts";
import type { ClientState, Session, StateListener } from "./session/session.ts";
import type { NoticeEvent, StreamEvent } from "./events/stream-events.ts";
import { fullTopics, type Channel, type Topics } from "./topics/topic.ts";

/** What every subscription may say. A value out of range is thrown as RangeError at once. */
export type SubscribeOptions = {
  /** Ends the subscription cleanly, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Events closer together than this may be merged by the gateway. Default 0: every event. */
  readonly conflationIntervalMs?: number | undefined;
  /** Whether to start with the current state. Default true; books always do. */
  readonly snapshot?: boolean | undefined;
  /** Books only: levels per side. Default 0: all. */
  readonly depth?: number | undefined;
  /**
   * How the topics go on: starts, resumes, gaps, lag. Called when it happens, ahead of what is
   * buffered.
   */
  readonly onNotice?: ((notice: NoticeEvent) => void) | undefined;
  /** With it, a refused topic does not end the subscription while others are left. */
  readonly onRefused?: ((refusal: TopicRefusal) => void) | undefined;
};

/** Options of a `for await` subscription. */
export type StreamOptions = SubscribeOptions & {
  /** Events that wait for the loop at most. Default: the client's. */
  readonly bufferEventsMax?: number | undefined;
  /**
   * What happens to one more. Default: the client's, else `latest` for states and `error` for
   * events.
   */
  readonly overflow?: OverflowPolicy | undefined;
};

/** Options of a callback subscription. */
export type CallbackOptions = SubscribeOptions & {
  /**
   * Called once if the subscription ends by an error. Without it the error goes to the host as
   * uncaught.
   */
  readonly onError?: ((error: TickwireError) => void) | undefined;
};

/** Options of candle subscriptions. */
export type CandleOptions = {
  /** Only candles of this interval. Default: all that the venue has. */
  readonly intervalMs?: number | undefined;
};

/** A callback subscription. */
export type Subscription = Disposable & {
  /** Unsubscribes; the callback is not called again. Idempotent. */
  close(): void;
  readonly closed: boolean;
};

/** Counts over the life of a client. */
export type ClientCounters = {
  /** Market events received, each once, whatever the number of consumers. */
  readonly events: number;
  /** Events that came again after a resume and were left out. */
  readonly duplicateEvents: number;
  /** Batches whose place in their topic could not be proven. */
  readonly gaps: number;
  /** Batches with a topic id that this client never had. */
  readonly unknownTopicBatches: number;
};

/** Buffers of the client's streams where a stream says nothing. */
export type BufferDefaults = {
  readonly bufferEventsMax: number;
  readonly overflow: OverflowPolicy | undefined;
};

type EventCallback<Event> = (event: Event) => void;

/**
 * A gateway as its user sees it. Made by `connect()`. Topics are `VENUE:SYMBOL`; each part may be
 * `*`.
 */
export class Client implements AsyncDisposable {
  /** The typed methods of the gateway. */
  readonly rpc: Rpc;
  readonly #session: Session;
  readonly #defaults: BufferDefaults;
  readonly #reportUncaught: (error: unknown) => void;

  /** For this package: clients come from `connect()`. */
  constructor(
    session: Session,
    defaults: BufferDefaults,
    reportUncaught: (error: unknown) => void,
  ) {
    this.rpc = session.calls.rpc;
    this.#session = session;
    this.#defaults = defaults;
    this.#reportUncaught = reportUncaught;
  }

  get state(): ClientState {
    return this.#session.state;
  }

  get counters(): ClientCounters {
    return this.#session.counters;
  }

  /**
   * The gateway's name for the current connection, for its operator's logs; undefined while there
   * is none.
   */
  get sessionId(): string | undefined {
    return this.#session.welcome?.sessionId;
  }

  /** Calls `listener` after each change of `state`. The result removes it. */
  onState(listener: StateListener): () => void {
    return this.#session.onState(listener);
  }

  /**
   * Ends every stream cleanly, rejects calls with `cancelled` and closes the connection.
   * Idempotent.
   */
  close(): void {
    this.#session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  trades(topics: Topics, options?: StreamOptions): EventStream<Trade> {
    return this.#events("trades", topics, options, "error");
  }

  onTrades(topics: Topics, callback: EventCallback<Trade>, options?: CallbackOptions) {
    return this.#callback("trades", topics, callback, options);
  }

  quotes(topics: Topics, options?: StreamOptions): EventStream<Quote> {
    return this.#events("quotes", topics, options, "latest");
  }

  onQuotes(topics: Topics, callback: EventCallback<Quote>, options?: CallbackOptions) {
    return this.#callback("quotes", topics, callback, options);
  }

  /**
   * The maintained book, yielded after each change of it or of its state. A slow loop sees fewer
   * changes, never an old book: what is yielded is a view of the book as it is now.
   */
  book(topics: Topics, options: StreamOptions = {}): EventStream<LiveBook> {
    const stream = this.#createStream<LiveBook>(options, "latest");
    this.#attachStream("book", topics, options, stream, { book: (book) => stream.push(book) });
    return stream;
  }

  onBook(topics: Topics, callback: EventCallback<LiveBook>, options: CallbackOptions = {}) {
    const book = this.#guarded(callback);
    return this.#attachCallback("book", topics, options, { book });
  }

  /** Snapshots and deltas as they come, for those who keep a book of their own. */
  bookEvents(topics: Topics, options?: StreamOptions): EventStream<BookEvent> {
    return this.#events("book", topics, options, "error");
  }

  onBookEvents(topics: Topics, callback: EventCallback<BookEvent>, options?: CallbackOptions) {
    return this.#callback("book", topics, callback, options);
  }

  candles(topics: Topics, options?: StreamOptions & CandleOptions): EventStream<Candle> {
    const wanted = ofInterval(options?.intervalMs);
    return this.#events("candles", topics, options, "error", wanted);
  }

  onCandles(
    topics: Topics,
    callback: EventCallback<Candle>,
    options?: CallbackOptions & CandleOptions,
  ): Subscription {
    const wanted = ofInterval(options?.intervalMs);
    const filtered = (candle: Candle) => {
      if (wanted(candle)) callback(candle);
    };
    return this.#callback("candles", topics, filtered, options);
  }

  ticker(topics: Topics, options?: StreamOptions): EventStream<Ticker> {
    return this.#events("ticker", topics, options, "latest");
  }

  onTicker(topics: Topics, callback: EventCallback<Ticker>, options?: CallbackOptions) {
    return this.#callback("ticker", topics, callback, options);
  }

  funding(topics: Topics, options?: StreamOptions): EventStream<Funding> {
    return this.#events("funding", topics, options, "latest");
  }

  onFunding(topics: Topics, callback: EventCallback<Funding>, options?: CallbackOptions) {
    return this.#callback("funding", topics, callback, options);
  }

  markPrice(topics: Topics, options?: StreamOptions): EventStream<MarkPrice> {
    return this.#events("mark-price", topics, options, "latest");
  }

  onMarkPrice(topics: Topics, callback: EventCallback<MarkPrice>, options?: CallbackOptions) {
    return this.#callback("mark-price", topics, callback, options);
  }

  openInterest(topics: Topics, options?: StreamOptions): EventStream<OpenInterest> {
    return this.#events("open-interest", topics, options, "latest");
  }

  onOpenInterest(topics: Topics, callback: EventCallback<OpenInterest>, options?: CallbackOptions) {
    return this.#callback("open-interest", topics, callback, options);
  }

  liquidations(topics: Topics, options?: StreamOptions): EventStream<Liquidation> {
    return this.#events("liquidations", topics, options, "error");
  }

  onLiquidations(topics: Topics, callback: EventCallback<Liquidation>, options?: CallbackOptions) {
    return this.#callback("liquidations", topics, callback, options);
  }

  status(topics: Topics, options?: StreamOptions): EventStream<Status> {
    return this.#events("status", topics, options, "error");
  }

  onStatus(topics: Topics, callback: EventCallback<Status>, options?: CallbackOptions) {
    return this.#callback("status", topics, callback, options);
  }

  /**
   * Everything that happens on full topics (`VENUE:SYMBOL/channel`), of several channels at once,
   * notices in their place between the market events.
   */
  subscribe(topics: Topics, handler: EventCallback<StreamEvent>, options: CallbackOptions = {}) {
    const event = this.#guarded(handler);
    const { onNotice } = options;
    const notice = (given: NoticeEvent) => {
      event(given);
      onNotice?.(given);
    };
    return this.#attachCallback(undefined, topics, { ...options, onNotice: notice }, { event });
  }

  #createStream<T extends { readonly topic: string }>(
    options: StreamOptions,
    overflow: OverflowPolicy,
  ): EventStream<T> {
    assertChoiceOption("overflow", options.overflow, OVERFLOW_POLICIES);
    return new EventStream<T>(
      options.bufferEventsMax ?? this.#defaults.bufferEventsMax,
      options.overflow ?? this.#defaults.overflow ?? overflow,
    );
  }

  #events<Event extends MarketEvent>(
    channel: Channel,
    topics: Topics,
    options: StreamOptions = {},
    overflow: OverflowPolicy,
    wanted?: (event: Event) => boolean,
  ): EventStream<Event> {
    const stream = this.#createStream<Event>(options, overflow);
    // A topic carries events of its channel only.
    const push = (event: MarketEvent) => stream.push(event as Event);
    const event =
      wanted === undefined
        ? push
        : (candidate: MarketEvent) => {
            if (wanted(candidate as Event)) stream.push(candidate as Event);
          };
    this.#attachStream(channel, topics, options, stream, { event });
    return stream;
  }

  #attachStream<T extends { readonly topic: string }>(
    channel: Channel,
    topics: Topics,
    options: StreamOptions,
    stream: EventStream<T>,
    handlers: Omit<ConsumerHandlers, "end">,
  ): void {
    const consumer = this.#attach(channel, topics, options, {
      ...handlers,
      // An abort drops what is buffered; the end of the client does not.
      end: (error) => (options.signal?.aborted === true ? stream.close() : stream.end(error)),
    });
    stream.onEnd(() => consumer.close(undefined));
  }

  #callback<Event extends MarketEvent>(
    channel: Channel,
    topics: Topics,
    callback: EventCallback<Event>,
    options: CallbackOptions = {},
  ): Subscription {
    const event = this.#guarded(callback) as EventCallback<MarketEvent>;
    return this.#attachCallback(channel, topics, options, { event });
  }

  #attachCallback(
    channel: Channel | undefined,
    topics: Topics,
    options: CallbackOptions,
    handlers: Omit<ConsumerHandlers, "end">,
  ): Subscription {
    const onError = this.#guarded(options.onError ?? this.#reportUncaught);
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
      [Symbol.dispose]: close,
    };
  }

  #attach(
    channel: Channel | undefined,
    topics: Topics,
    options: SubscribeOptions,
    handlers: ConsumerHandlers,
  ): Consumer {
    const full = fullTopics(topics, channel);
    const { signal, onNotice, onRefused, depth, conflationIntervalMs, snapshot } = options;
    assertIntegerOption("depth", depth, { min: 0, max: UINT32_MAX });
    const conflation = { min: 0, max: UINT32_MAX };
    assertIntegerOption("conflationIntervalMs", conflationIntervalMs, conflation);
    const consumer = new Consumer(full, {
      ...handlers,
      notice: onNotice && this.#guarded(onNotice),
      refused: onRefused && this.#guarded(onRefused),
    });
    if (this.#session.state === "closed" || signal?.aborted === true) {
      // A loop that begins again and again must learn that it is in vain.
      consumer.close(signal?.aborted === true ? undefined : this.#session.endError);
      return consumer;
    }
    const wireOptions = {
      depth: depth ?? 0,
      conflationIntervalMs: conflationIntervalMs ?? 0,
      snapshot: snapshot ?? true,
    };
    const onAbort = () => consumer.close(undefined);
    this.#session.subscriptions.attach(full, wireOptions, consumer, () =>
      signal?.removeEventListener("abort", onAbort),
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    return consumer;
  }

  /** A callback of the user must not break the reading of a frame. */
  #guarded<Argument>(callback: (argument: Argument) => void): (argument: Argument) => void {
    return (argument) => {
      try {
        callback(argument);
      } catch (error) {
        this.#reportUncaught(error);
      }
    };
  }
}

function ofInterval(intervalMs: number | undefined): (candle: Candle) => boolean {
  return (candle) => intervalMs === undefined || candle.intervalMs === intervalMs;
}
