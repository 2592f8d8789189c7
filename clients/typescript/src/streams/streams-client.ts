import type { LiveBook } from "../events/book.ts";
import type {
  BookEvent,
  Candle,
  Funding,
  Liquidation,
  Listing,
  MarkPrice,
  OpenInterest,
  Status,
  Ticker,
} from "../events/market-event.ts";
import type { StreamEvent } from "../events/stream-events.ts";
import { assertIntegerOption, UINT32_MAX } from "../host/option-checks.ts";
import type { ClientSession } from "../session/client-session.ts";
import type { ChannelSource } from "../topics/channel-source.ts";
import type { TopicInfo, Topics } from "../topics/topic.ts";
import type { EventStream } from "./event-stream.ts";
import { StreamFactory, type EventCallback, type HandlersOf } from "./stream-factory.ts";
import type {
  CallbackOptions,
  CandleOptions,
  StreamOptions,
  Subscription,
} from "./stream-options.ts";
import { TicksClient, type StreamsConnectOptions } from "./ticks-client.ts";

/** The streams of a gateway. Topics are `VENUE:SYMBOL`; each part may be `*`. */
export class StreamsClient extends TicksClient {
  readonly #streams: StreamFactory;

  /** For this package: clients come from `connect()`. Throws RangeError for a bad option. */
  constructor(session: ClientSession, channels: ChannelSource, options: StreamsConnectOptions) {
    const streams = new StreamFactory(session, channels, options);
    super(session, streams);
    this.#streams = streams;
  }

  /**
   * The maintained book, yielded after each change of it or of its state. A slow loop sees fewer
   * changes, never an old book: what is yielded is a view of the book as it is now.
   */
  book(topics: Topics, options?: StreamOptions): EventStream<LiveBook> {
    return this.#streams.stream("book", topics, options, "latest", booksTo);
  }

  /** The same for a callback, which is called for each synchronously. */
  onBook(topics: Topics, callback: EventCallback<LiveBook>, options?: CallbackOptions) {
    return this.#streams.callback("book", topics, callback, options, booksTo);
  }

  /** Snapshots and deltas as they come, for those who keep a book of their own. */
  bookEvents(topics: Topics, options?: StreamOptions): EventStream<BookEvent> {
    return this.#streams.stream("book", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onBookEvents(topics: Topics, callback: EventCallback<BookEvent>, options?: CallbackOptions) {
    return this.#streams.callback("book", topics, callback, options);
  }

  /** Candles, of every interval or one. */
  candles(topics: Topics, options?: StreamOptions & CandleOptions): EventStream<Candle> {
    return this.#streams.stream("candles", topics, options, "error", candlesTo(options));
  }

  /** The same for a callback, which is called for each synchronously. */
  onCandles(
    topics: Topics,
    callback: EventCallback<Candle>,
    options?: CallbackOptions & CandleOptions,
  ): Subscription {
    return this.#streams.callback("candles", topics, callback, options, candlesTo(options));
  }

  /** Statistics of the last 24 hours. */
  ticker(topics: Topics, options?: StreamOptions): EventStream<Ticker> {
    return this.#streams.stream("ticker", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onTicker(topics: Topics, callback: EventCallback<Ticker>, options?: CallbackOptions) {
    return this.#streams.callback("ticker", topics, callback, options);
  }

  /** Funding rates of perpetuals. */
  funding(topics: Topics, options?: StreamOptions): EventStream<Funding> {
    return this.#streams.stream("funding", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onFunding(topics: Topics, callback: EventCallback<Funding>, options?: CallbackOptions) {
    return this.#streams.callback("funding", topics, callback, options);
  }

  /** The prices that derivatives are marked to. */
  markPrice(topics: Topics, options?: StreamOptions): EventStream<MarkPrice> {
    return this.#streams.stream("mark-price", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onMarkPrice(topics: Topics, callback: EventCallback<MarkPrice>, options?: CallbackOptions) {
    return this.#streams.callback("mark-price", topics, callback, options);
  }

  /** Open interest of derivatives. */
  openInterest(topics: Topics, options?: StreamOptions): EventStream<OpenInterest> {
    return this.#streams.stream("open-interest", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onOpenInterest(topics: Topics, callback: EventCallback<OpenInterest>, options?: CallbackOptions) {
    return this.#streams.callback("open-interest", topics, callback, options);
  }

  /** Liquidation orders. */
  liquidations(topics: Topics, options?: StreamOptions): EventStream<Liquidation> {
    return this.#streams.stream("liquidations", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onLiquidations(topics: Topics, callback: EventCallback<Liquidation>, options?: CallbackOptions) {
    return this.#streams.callback("liquidations", topics, callback, options);
  }

  /** Changes of what a channel is worth. */
  status(topics: Topics, options?: StreamOptions): EventStream<Status> {
    return this.#streams.stream("status", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onStatus(topics: Topics, callback: EventCallback<Status>, options?: CallbackOptions) {
    return this.#streams.callback("status", topics, callback, options);
  }

  /**
   * The lists of venues (`binance:*`, `*:*`): first all that is listed, then what comes, changes,
   * is halted and goes.
   */
  listings(topics: Topics, options?: StreamOptions): EventStream<Listing> {
    return this.#streams.stream("listings", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onListings(topics: Topics, callback: EventCallback<Listing>, options?: CallbackOptions) {
    return this.#streams.callback("listings", topics, callback, options);
  }

  /**
   * Everything that happens on full topics (`VENUE:SYMBOL/channel`), of several channels at once,
   * notices in their place between the market events.
   */
  subscribe(topics: Topics, handler: EventCallback<StreamEvent>, options?: CallbackOptions) {
    return this.#streams.callback(undefined, topics, handler, options, everythingTo);
  }
}

function booksTo(push: (book: LiveBook) => void) {
  return { book: push };
}

function everythingTo(push: (event: StreamEvent) => void) {
  return { event: push, notice: push };
}

/** Throws RangeError for a bad interval. */
function candlesTo({ intervalMs }: CandleOptions = {}): HandlersOf<Candle> {
  assertIntegerOption("intervalMs", intervalMs, { min: 1, max: UINT32_MAX });
  return (push) => ({
    event: (event) => {
      const candle = event as Candle;
      if (intervalMs === undefined || candle.intervalMs === intervalMs) push(candle);
    },
    misfit: (info) => (intervalMs === undefined ? undefined : unknownInterval(info, intervalMs)),
  });
}

/** The refusal of candles of a length that the topic does not have. */
function unknownInterval({ candleIntervalsMs: known = [] }: TopicInfo, intervalMs: number) {
  if (known.length === 0 || known.includes(intervalMs)) return undefined;
  const message = `there are no candles of ${intervalMs} ms; there are ${known.join(", ")}`;
  return { code: "topic-unknown-interval" as const, message, alternatives: known.map(String) };
}
