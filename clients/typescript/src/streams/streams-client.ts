import type { BaseConnectOptions } from "../connect.ts";
import type { LiveBook } from "../events/book.ts";
import type {
  BookEvent,
  Candle,
  Funding,
  Liquidation,
  MarkPrice,
  OpenInterest,
  Quote,
  Status,
  Ticker,
  Trade,
} from "../events/market-event.ts";
import type { NoticeEvent, StreamEvent } from "../events/stream-events.ts";
import { SessionHandle } from "../session/session-handle.ts";
import type { Session } from "../session/session.ts";
import { Subscriptions } from "../topics/subscriptions.ts";
import type { ClientCounters } from "../topics/topic-stream.ts";
import type { Topics } from "../topics/topic.ts";
import type { EventStream } from "./event-stream.ts";
import { StreamFactory, type EventCallback } from "./stream-factory.ts";
import {
  bufferDefaults,
  type CallbackOptions,
  type CandleOptions,
  type StreamDefaults,
  type StreamOptions,
  type Subscription,
} from "./stream-options.ts";

/** Options of `connect()` for a client with streams only. */
export type StreamsConnectOptions = BaseConnectOptions & StreamDefaults;

/** The streams of a gateway. Topics are `VENUE:SYMBOL`; each part may be `*`. */
export class StreamsClient extends SessionHandle {
  readonly #subscriptions: Subscriptions;
  readonly #streams: StreamFactory;

  /** For this package: clients come from `connect()`. */
  constructor(session: Session, options: StreamsConnectOptions) {
    super(session);
    this.#subscriptions = new Subscriptions(session.link);
    session.carry(this.#subscriptions);
    this.#streams = new StreamFactory(session, this.#subscriptions, bufferDefaults(options));
  }

  /** What this client received so far. */
  get counters(): ClientCounters {
    return this.#subscriptions.counters;
  }

  /** Every trade. */
  trades(topics: Topics, options?: StreamOptions): EventStream<Trade> {
    return this.#streams.events("trades", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onTrades(topics: Topics, callback: EventCallback<Trade>, options?: CallbackOptions) {
    return this.#streams.callback("trades", topics, callback, options);
  }

  /** Best bid and offer. */
  quotes(topics: Topics, options?: StreamOptions): EventStream<Quote> {
    return this.#streams.events("quotes", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onQuotes(topics: Topics, callback: EventCallback<Quote>, options?: CallbackOptions) {
    return this.#streams.callback("quotes", topics, callback, options);
  }

  /**
   * The maintained book, yielded after each change of it or of its state. A slow loop sees fewer
   * changes, never an old book: what is yielded is a view of the book as it is now.
   */
  book(topics: Topics, options: StreamOptions = {}): EventStream<LiveBook> {
    const stream = this.#streams.create<LiveBook>(options, "latest");
    this.#streams.attachStream("book", topics, options, stream, {
      book: (book) => stream.push(book),
    });
    return stream;
  }

  /** The same for a callback, which is called for each synchronously. */
  onBook(topics: Topics, callback: EventCallback<LiveBook>, options: CallbackOptions = {}) {
    const book = this.#streams.guarded(callback);
    return this.#streams.attachCallback("book", topics, options, { book });
  }

  /** Snapshots and deltas as they come, for those who keep a book of their own. */
  bookEvents(topics: Topics, options?: StreamOptions): EventStream<BookEvent> {
    return this.#streams.events("book", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onBookEvents(topics: Topics, callback: EventCallback<BookEvent>, options?: CallbackOptions) {
    return this.#streams.callback("book", topics, callback, options);
  }

  /** Candles, of every interval or one. */
  candles(topics: Topics, options?: StreamOptions & CandleOptions): EventStream<Candle> {
    const wanted = ofInterval(options?.intervalMs);
    return this.#streams.events("candles", topics, options, "error", wanted);
  }

  /** The same for a callback, which is called for each synchronously. */
  onCandles(
    topics: Topics,
    callback: EventCallback<Candle>,
    options?: CallbackOptions & CandleOptions,
  ): Subscription {
    const wanted = ofInterval(options?.intervalMs);
    const filtered = (candle: Candle) => {
      if (wanted(candle)) callback(candle);
    };
    return this.#streams.callback("candles", topics, filtered, options);
  }

  /** Statistics of the last 24 hours. */
  ticker(topics: Topics, options?: StreamOptions): EventStream<Ticker> {
    return this.#streams.events("ticker", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onTicker(topics: Topics, callback: EventCallback<Ticker>, options?: CallbackOptions) {
    return this.#streams.callback("ticker", topics, callback, options);
  }

  /** Funding rates of perpetuals. */
  funding(topics: Topics, options?: StreamOptions): EventStream<Funding> {
    return this.#streams.events("funding", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onFunding(topics: Topics, callback: EventCallback<Funding>, options?: CallbackOptions) {
    return this.#streams.callback("funding", topics, callback, options);
  }

  /** The prices that derivatives are marked to. */
  markPrice(topics: Topics, options?: StreamOptions): EventStream<MarkPrice> {
    return this.#streams.events("mark-price", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onMarkPrice(topics: Topics, callback: EventCallback<MarkPrice>, options?: CallbackOptions) {
    return this.#streams.callback("mark-price", topics, callback, options);
  }

  /** Open interest of derivatives. */
  openInterest(topics: Topics, options?: StreamOptions): EventStream<OpenInterest> {
    return this.#streams.events("open-interest", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onOpenInterest(topics: Topics, callback: EventCallback<OpenInterest>, options?: CallbackOptions) {
    return this.#streams.callback("open-interest", topics, callback, options);
  }

  /** Liquidation orders. */
  liquidations(topics: Topics, options?: StreamOptions): EventStream<Liquidation> {
    return this.#streams.events("liquidations", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onLiquidations(topics: Topics, callback: EventCallback<Liquidation>, options?: CallbackOptions) {
    return this.#streams.callback("liquidations", topics, callback, options);
  }

  /** Changes of what a channel is worth. */
  status(topics: Topics, options?: StreamOptions): EventStream<Status> {
    return this.#streams.events("status", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onStatus(topics: Topics, callback: EventCallback<Status>, options?: CallbackOptions) {
    return this.#streams.callback("status", topics, callback, options);
  }

  /**
   * Everything that happens on full topics (`VENUE:SYMBOL/channel`), of several channels at once,
   * notices in their place between the market events.
   */
  subscribe(topics: Topics, handler: EventCallback<StreamEvent>, options: CallbackOptions = {}) {
    const event = this.#streams.guarded(handler);
    const { onNotice } = options;
    const notice = (given: NoticeEvent) => {
      event(given);
      onNotice?.(given);
    };
    return this.#streams.attachCallback(
      undefined,
      topics,
      { ...options, onNotice: notice },
      { event },
    );
  }
}

function ofInterval(intervalMs: number | undefined): (candle: Candle) => boolean {
  return (candle) => intervalMs === undefined || candle.intervalMs === intervalMs;
}

/** The client of one session. Throws RangeError for an option that is out of range. */
export function createStreamsClient(
  session: Session,
  options: StreamsConnectOptions,
): StreamsClient {
  return new StreamsClient(session, options);
}
