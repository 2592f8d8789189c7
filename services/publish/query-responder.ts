import { channelToWire, WireError } from "@tickwire/proto/codec";
import type { OrderBook } from "@tickwire/proto/model";
import type { VenueHealth } from "@tickwire/proto/service";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusMessage, BusSubscription } from "#bus/bus.ts";
import { parseQuerySubject, queryPattern } from "#bus/subject.ts";
import type { Query } from "#bus/subject.ts";
import { CandlePastError } from "#core/candle-past.ts";
import type { CandlePast } from "#core/candle-past.ts";
import type { Clock } from "#core/clock.ts";
import { MARKET_SYMBOL } from "#core/instrument.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle, MarketEvent } from "#core/market-event.ts";
import type { Logger } from "#core/logger.ts";
import {
  decodeCatalogRequest,
  decodeHistoryRequest,
  decodePositionsRequest,
  decodeSnapshotRequest,
  encodeCatalogReply,
  encodeHistoryReply,
  encodePositionsReply,
  encodeQueryError,
  encodeQueryReply,
  encodeSnapshotReply,
} from "#wire/bus-codec.ts";
import { encodeState } from "#wire/event-codec.ts";
import { historyQuery } from "#wire/history-token.ts";
import { takePastPage } from "./candle-past.ts";
import { NO_ROWS, takePage } from "./history-page.ts";
import type { KeptRows, NoPage, Page, PageRequest, RowOrder } from "./history-page.ts";
import type { Publisher } from "./publisher.ts";
import { instrumentMessage, QUERY_METHODS, statusMessage, tradeMessage } from "./query-messages.ts";
import type { StreamedInstruments } from "./streamed-instruments.ts";
import type { NumberedTrade } from "./trade-page.ts";
import type { TopicRecord } from "./topic-record.ts";
import type { VenueListings } from "./venue-listings.ts";

/** What can be asked for with one request, and what is given where the request says nothing. */
const ROWS_MAX = 1_000;
const ROWS_DEFAULT = 100;
const NOTHING = new Uint8Array(0);

/** Encoding a page of a catalog or of statuses takes less than a millisecond or two. */
const CATALOG_PAGE_INSTRUMENTS = 500;
const STATUS_PAGE_INSTRUMENTS = 200;
/** Encoding so many takes a few milliseconds. Only the list of a large venue has more. */
export const STATE_PAGE_EVENTS_MAX = 500;
/** Encoding so many takes about a millisecond. */
const POSITIONS_PAGE_TOPICS = 2_000;
/** A gateway checks a page of a topic's history within a few milliseconds. */
const HISTORY_PAGE_BYTES_MAX = 128 * 1_024;
/** What an answer needs besides its payload. */
const REPLY_OVERHEAD_BYTES = 1_024;
const TRADE_ORDER: RowOrder<NumberedTrade> = {
  keyOf: ({ sequence }) => sequence,
  timeUsOf: ({ trade }) => trade.venueTimeUs ?? trade.receivedTimeUs,
};

const CANDLE_ORDER: RowOrder<Candle> = {
  keyOf: ({ openTimeUs }) => openTimeUs,
  timeUsOf: ({ openTimeUs }) => openTimeUs,
};

/** What the responder knows of one venue. */
export type VenueView = {
  readonly venue: string;
  readonly streamed: StreamedInstruments;
  readonly listings: VenueListings;
  /** What publishes it. It has no epoch while another ingestor publishes the venue. */
  readonly publisher: Publisher;
  /**
   * The book as it stands after the last published event; undefined while it is not known to be
   * right.
   */
  readonly liveBookOf: (instrument: Instrument) => OrderBook | undefined;
  /** How the venue does as a whole; absent where nobody measures. */
  readonly health?: () => VenueHealth;
  /** Candles from before they were streamed; undefined where nobody has them. */
  readonly candlePast?: CandlePast | undefined;
};

type QueryResponderOptions = {
  readonly bus: Bus;
  /** Who is asked: queries to other publishers of the same venues are not for this one. */
  readonly publisherId: string;
  readonly clock: Clock;
  readonly venues: readonly VenueView[];
  readonly logger: Logger;
};

/** A query about one topic. */
type TopicQuery = Extract<Query, { channel: Channel }>;

class QueryFailure extends Error {
  readonly code:
    | "CODE_NOT_FOUND"
    | "CODE_INVALID_ARGUMENT"
    | "CODE_FAILED_PRECONDITION"
    | "CODE_UNAVAILABLE";

  constructor(code: QueryFailure["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Answers what gateways ask about a publisher's venues. An answer with a position contains exactly
 * the events up to it: whatever waits is published first. Of several publishers of a venue each
 * answers what it is asked itself.
 */
export class QueryResponder {
  readonly #options: QueryResponderOptions;
  readonly #subscriptions: BusSubscription[] = [];

  constructor(options: QueryResponderOptions) {
    this.#options = options;
  }

  /** Answers from now on. To be called before anything is announced. */
  start(): void {
    const { bus, venues, publisherId } = this.#options;
    for (const view of venues) {
      const pattern = queryPattern({ venue: view.venue, publisherId });
      this.#subscriptions.push(bus.subscribe(pattern, (message) => this.#onQuery(view, message)));
    }
  }

  /** Stops answering. Idempotent. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions.length = 0;
  }

  #onQuery(view: VenueView, message: BusMessage): void {
    let answer: Uint8Array | Promise<Uint8Array>;
    try {
      answer = this.#answer(view, message);
    } catch (error) {
      this.#respond(message, this.#failure(message.subject, error));
      return;
    }
    if (!(answer instanceof Promise)) {
      this.#respond(message, encodeQueryReply(answer));
      return;
    }
    // What is thrown in the end is a bug of ours, and ends the process as an unhandled rejection.
    void this.#respondLater(message, answer);
  }

  async #respondLater(message: BusMessage, answer: Promise<Uint8Array>): Promise<void> {
    let reply: Uint8Array;
    try {
      reply = encodeQueryReply(await answer);
    } catch (error) {
      reply = this.#failure(message.subject, error);
    }
    if (this.#subscriptions.length > 0) this.#respond(message, reply);
  }

  #respond(message: BusMessage, reply: Uint8Array): void {
    try {
      message.respond(reply);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      const { subject } = message;
      this.#options.logger.warn({ subject, code: error.code }, "the bus did not take an answer");
    }
  }

  /** The answer to a query that failed. What is neither of these is a bug of ours, and goes on. */
  #failure(subject: string, error: unknown): Uint8Array {
    if (error instanceof QueryFailure) {
      return encodeQueryError({ code: error.code, message: error.message });
    }
    if (!(error instanceof WireError)) throw error;
    this.#options.logger.error(
      { subject, message: error.message },
      "an answer does not fit the wire",
    );
    return encodeQueryError({ code: "CODE_INTERNAL", message: "the answer cannot be encoded" });
  }

  #answer(view: VenueView, message: BusMessage): Uint8Array | Promise<Uint8Array> {
    const query = parseQuerySubject(message.subject);
    if (query === undefined) throw new QueryFailure("CODE_INVALID_ARGUMENT", "unknown query");
    switch (query.query) {
      case "snapshot":
        return this.#snapshot(view, query, message.payload);
      case "history":
        return this.#history(view, query, message.payload);
      case "trades":
        return this.#trades(view, query.symbol, message.payload);
      case "candles":
        return this.#candles(view, query.symbol, message.payload);
      case "statuses":
        return this.#statuses(view, message.payload);
      case "catalog":
        return this.#catalog(view, message.payload);
      case "positions":
        return this.#positions(view, message.payload);
      case "ping":
        return NOTHING;
    }
  }

  /** As many instruments as one message carries. */
  #catalog({ streamed, candlePast }: VenueView, payload: Uint8Array): Uint8Array {
    const { afterSymbol, sinceVersion } = decoded({ decode: decodeCatalogRequest }, payload);
    for (let countMax = CATALOG_PAGE_INSTRUMENTS; ; countMax = Math.ceil(countMax / 2)) {
      const difference =
        sinceVersion === 0
          ? undefined
          : streamed.differenceSince(sinceVersion, afterSymbol, countMax);
      const { instruments, more } = difference ?? streamed.page(afterSymbol, countMax);
      const page = encodeCatalogReply({
        catalogVersion: streamed.version,
        instruments: instruments.map((each) => instrumentMessage(each, candlePast?.intervalsMs)),
        incomplete: !streamed.complete,
        more,
        difference: difference !== undefined,
        removedSymbols: difference?.removedSymbols ?? [],
      });
      if (page.byteLength <= this.#payloadBytesMax || countMax === 1) return page;
    }
  }

  get #payloadBytesMax(): number {
    return this.#options.bus.payloadBytesMax - REPLY_OVERHEAD_BYTES;
  }

  /** All of what follows a position, in pages; or an error, never a part. */
  #history(view: VenueView, query: TopicQuery, payload: Uint8Array): Uint8Array {
    const publisher = leadingPublisher(view);
    const { epoch, afterSequence } = decoded({ decode: decodeHistoryRequest }, payload);
    const topic = publisher.settledTopic(this.#findStreamed(view, query), query.channel);
    const bytesMax = Math.min(this.#payloadBytesMax, HISTORY_PAGE_BYTES_MAX);
    // Of the epoch before, what was followed then is kept, up to where this one goes on.
    const continued = topic?.continued?.epoch === epoch ? topic.continued : undefined;
    const isOurs = epoch === publisher.epoch || continued !== undefined;
    const lastSequence = continued?.sequence ?? topic?.sequence ?? 0;
    const batches = isOurs
      ? topic?.history.after(afterSequence, bytesMax, lastSequence)
      : undefined;
    if (batches === undefined) {
      const message = "what follows the position is not kept";
      throw new QueryFailure("CODE_FAILED_PRECONDITION", message);
    }
    return encodeHistoryReply(batches, lastSequence);
  }

  /** The state of a topic: all of it, or a page for whoever asks for pages. */
  #snapshot(view: VenueView, query: TopicQuery, payload: Uint8Array): Uint8Array {
    const { clock } = this.#options;
    const publisher = leadingPublisher(view);
    const { channel } = query;
    const { paged, skippedEvents } = decoded({ decode: decodeSnapshotRequest }, payload);
    const instrument = this.#findStreamed(view, query);
    const topic = publisher.settledTopic(instrument, channel);
    const events = topic === undefined ? [] : stateOf(topic, view);
    const position = { channel, epoch: publisher.epoch, sequence: topic?.sequence ?? 0 };
    const continues = topic === undefined ? publisher.absentContinued : topic.continued;
    const start = paged ? skippedEvents : 0;
    let countMax = paged ? STATE_PAGE_EVENTS_MAX : events.length;
    for (;;) {
      const page = events.slice(start, start + countMax);
      const more = start + page.length < events.length;
      const state = encodeState(position, page, clock.nowUs());
      const reply = encodeSnapshotReply(state, { more, continues });
      if (reply.byteLength <= this.#payloadBytesMax) return reply;
      if (!paged || page.length <= 1) {
        const sizes = `${reply.byteLength} bytes, of which the bus takes ${this.#payloadBytesMax}`;
        throw new QueryFailure("CODE_FAILED_PRECONDITION", `the state of the topic has ${sizes}`);
      }
      countMax = Math.ceil(page.length / 2);
    }
  }

  #trades(view: VenueView, symbol: string, payload: Uint8Array): Uint8Array {
    const publisher = leadingPublisher(view);
    const topic = publisher.settledTopic(this.#find(view, symbol), "trades");
    const { request, response } = QUERY_METHODS.getTrades;
    const asked = decoded(request, payload);
    const { rows, ...rest } = this.#page(topic?.trades ?? NO_ROWS, TRADE_ORDER, asked, {
      query: historyQuery(asked),
      epoch: publisher.epoch,
    });
    return response.encode({ trades: rows.map(tradeMessage), ...rest });
  }

  #candles(view: VenueView, symbol: string, payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const instrument = this.#find(view, symbol);
    const publisher = leadingPublisher(view);
    const { request, response } = QUERY_METHODS.getCandles;
    const asked = decoded(request, payload);
    const { intervalMs } = asked;
    const query = historyQuery(asked);
    const kept = (): KeptRows<Candle> =>
      publisher.settledTopic(instrument, "candles")?.candles(intervalMs) ?? NO_ROWS;
    const past = view.candlePast;
    if (past?.intervalsMs.includes(intervalMs) === true) {
      return this.#pastCandles({ past, instrument, intervalMs, kept }, asked, query);
    }
    // The start of a candle is the same whoever publishes it.
    const { rows, ...rest } = this.#page(kept(), CANDLE_ORDER, asked, { query, epoch: 0 });
    return response.encode({ candles: rows, ...rest });
  }

  async #pastCandles(
    parts: Parameters<typeof takePastPage>[0],
    asked: PageRequest,
    query: string,
  ): Promise<Uint8Array> {
    const pageSize = rowLimit(asked.pageSize);
    try {
      const page = checkedPage(await takePastPage(parts, { ...asked, pageSize }, query));
      const { rows, ...rest } = page;
      return QUERY_METHODS.getCandles.response.encode({ candles: rows, ...rest });
    } catch (error) {
      if (!(error instanceof CandlePastError)) throw error;
      // What was streamed is there in any case, and says from when on it is.
      const kept = parts.kept();
      if (asked.pageToken !== "" || kept.length === 0) {
        throw new QueryFailure("CODE_UNAVAILABLE", error.message);
      }
      const page = this.#page(kept, CANDLE_ORDER, asked, { query, epoch: 0 });
      const { rows, ...rest } = page;
      return QUERY_METHODS.getCandles.response.encode({ candles: rows, ...rest });
    }
  }

  #page<Row>(
    kept: KeptRows<Row>,
    order: RowOrder<Row>,
    asked: PageRequest,
    scope: Parameters<typeof takePage>[3],
  ): Page<Row> {
    const pageSize = rowLimit(asked.pageSize);
    return checkedPage(takePage(kept, order, { ...asked, pageSize }, scope));
  }

  #statuses(view: VenueView, payload: Uint8Array): Uint8Array {
    const { request, response } = QUERY_METHODS.getStatus;
    const { symbol, pageSize, pageToken, health } = decoded(request, payload);
    const isPage = pageSize > 0 && pageSize < STATUS_PAGE_INSTRUMENTS;
    const countMax = isPage ? pageSize : STATUS_PAGE_INSTRUMENTS;
    const page = symbol === "" ? view.streamed.page(pageToken, countMax) : undefined;
    const instruments = page?.instruments.map(({ instrument }) => instrument) ?? [
      this.#find(view, symbol),
    ];
    const publisher = leadingPublisher(view);
    const statuses = instruments.flatMap((instrument) =>
      (publisher.settledTopic(instrument, "status")?.statuses() ?? []).map(statusMessage),
    );
    // Between gateway and ingestor the token is the symbol itself.
    const nextPageToken = page?.more === true ? (instruments.at(-1)?.symbol ?? "") : "";
    const said = health ? view.health?.() : undefined;
    return response.encode({ statuses, nextPageToken, health: said === undefined ? [] : [said] });
  }

  /** Where every topic of the venue stands, in pages. */
  #positions(view: VenueView, payload: Uint8Array): Uint8Array {
    const publisher = leadingPublisher(view);
    const { skippedTopics } = decoded({ decode: decodePositionsRequest }, payload);
    const topics = [];
    let index = 0;
    let more = false;
    for (const { instrument, channel, publishedSequence } of publisher.allTopics()) {
      index += 1;
      if (index <= skippedTopics) continue;
      more = topics.length >= POSITIONS_PAGE_TOPICS;
      if (more) break;
      const { symbol } = instrument;
      topics.push({ symbol, channel: channelToWire(channel), sequence: publishedSequence });
    }
    return encodePositionsReply({ epoch: publisher.epoch, topics, more });
  }

  /** The instrument of a topic that the venue streams. */
  #findStreamed(view: VenueView, { symbol, channel }: TopicQuery): Instrument {
    if (channel === "listings" && symbol === MARKET_SYMBOL) return view.listings.market;
    const instrument = this.#find(view, symbol);
    if (view.streamed.has(instrument, channel)) return instrument;
    const topic = `${view.venue}:${symbol}/${channel}`;
    throw new QueryFailure("CODE_NOT_FOUND", `${topic} is not streamed`);
  }

  #find(view: VenueView, symbol: string): Instrument {
    const instrument = view.streamed.bySymbol(symbol);
    if (instrument !== undefined) return instrument;
    throw new QueryFailure("CODE_NOT_FOUND", `${view.venue}:${symbol} is not streamed`);
  }
}

/** The publisher of a venue that another ingestor does not publish. */
function leadingPublisher({ venue, publisher }: VenueView): Publisher {
  if (publisher.epoch > 0) return publisher;
  throw new QueryFailure("CODE_FAILED_PRECONDITION", `this ingestor stands by for ${venue}`);
}

/** The request. What cannot be read is the mistake of whoever asks. */
function decoded<Request>(
  codec: { decode(bytes: Uint8Array): Request },
  payload: Uint8Array,
): Request {
  try {
    return codec.decode(payload);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new QueryFailure("CODE_INVALID_ARGUMENT", error.message);
  }
}

function checkedPage<Row>(page: Page<Row> | NoPage): Page<Row> {
  if (page === "bad-token") {
    throw new QueryFailure("CODE_INVALID_ARGUMENT", "page_token is not one of this request");
  }
  if (page === "expired-token") {
    const message = "what follows the page before is not kept any more; begin anew";
    throw new QueryFailure("CODE_FAILED_PRECONDITION", message);
  }
  return page;
}

function rowLimit(asked: number): number {
  return asked === 0 ? ROWS_DEFAULT : Math.min(asked, ROWS_MAX);
}

/**
 * The events that tell a newcomer where the topic stands; none for channels of single occurrences.
 */
function stateOf(topic: TopicRecord, view: VenueView): readonly MarketEvent[] {
  const { last } = topic;
  if (last === undefined) return [];
  switch (topic.channel satisfies Channel) {
    case "trades":
    case "liquidations":
      return [];
    case "listings":
      return view.listings.state();
    case "candles":
      return topic.latestCandles();
    case "status":
      return topic.statuses();
    case "book":
      return wholeBook(topic, view, last);
    case "quotes":
    case "ticker":
    case "funding":
    case "mark-price":
    case "open-interest":
      return [last];
  }
}

/** A book that is not known to be right is not handed out; its next event is a whole one. */
function wholeBook(topic: TopicRecord, view: VenueView, last: MarketEvent): readonly MarketEvent[] {
  const book = view.liveBookOf(topic.instrument);
  if (book === undefined || last.kind !== "book") return [];
  const { priceScale, sizeScale } = book;
  const whole = { priceScale, sizeScale, bids: book.bids(), asks: book.asks() };
  return [{ ...last, ...whole, snapshot: true }];
}
