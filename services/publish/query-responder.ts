import type { OrderBook } from "@tickwire/proto/model";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusMessage, BusSubscription } from "#bus/bus.ts";
import {
  ANNOUNCE_SUBJECT,
  DISCOVER_SUBJECT,
  parseQuerySubject,
  queryPattern,
} from "#bus/subject.ts";
import type { Query } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import {
  encodeAnnouncement,
  encodeCatalogReply,
  encodeQueryError,
  encodeQueryReply,
} from "#wire/bus-codec.ts";
import { encodeEvents, encodePosition } from "#wire/event-codec.ts";
import type { Logger } from "#ingest/logger.ts";
import type { Publisher } from "./publisher.ts";
import {
  candleMessage,
  instrumentMessage,
  QUERY_METHODS,
  statusMessage,
  tradeMessage,
} from "./query-messages.ts";
import type { StreamedInstruments } from "#ingest/venue/streamed-instruments.ts";
import type { TopicRecord } from "./topic-record.ts";

/** How often an ingestor says that it is there. */
export const ANNOUNCE_INTERVAL_MS = 2_000;

/** What can be asked for with one request, and what is given where the request says nothing. */
const ROWS_MAX = 1_000;
const ROWS_DEFAULT = 100;
const CANDLE_INTERVAL_MS_DEFAULT = 60_000;

/** What the responder knows of one venue. */
export type VenueView = {
  readonly venue: string;
  readonly streamed: StreamedInstruments;
  /**
   * The book as it stands after the last published event; undefined while it is not known to be
   * right.
   */
  readonly liveBookOf: (instrument: Instrument) => OrderBook | undefined;
};

export type QueryResponderOptions = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ingestorId: string;
  readonly publisher: Publisher;
  readonly venues: readonly VenueView[];
  readonly logger: Logger;
};

class QueryFailure extends Error {
  readonly code: "CODE_NOT_FOUND" | "CODE_INVALID_ARGUMENT";

  constructor(code: "CODE_NOT_FOUND" | "CODE_INVALID_ARGUMENT", message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Answers what gateways ask about this ingestor's venues, and announces them. An answer with a
 * position contains exactly the events up to it: whatever waits is published first. One ingestor
 * serves a venue; a second one would have an epoch of its own.
 */
export class QueryResponder {
  readonly #options: QueryResponderOptions;
  readonly #subscriptions: BusSubscription[] = [];
  #cancelAnnounce: CancelTimer | undefined;

  constructor(options: QueryResponderOptions) {
    this.#options = options;
  }

  /** Starts answering, then announces. */
  start(): void {
    const { bus, venues } = this.#options;
    for (const view of venues) {
      this.#subscriptions.push(
        bus.subscribe(queryPattern(view.venue), (message) => this.#onQuery(view, message)),
      );
    }
    this.#subscriptions.push(bus.subscribe(DISCOVER_SUBJECT, () => this.announce()));
    this.#announceRegularly();
  }

  /** Tells every gateway which venues are here. */
  announce(): void {
    const { bus, venues, ingestorId, logger } = this.#options;
    try {
      for (const { venue, streamed } of venues) {
        const announcement = { ingestorId, venue, catalogVersion: streamed.version };
        bus.publish(ANNOUNCE_SUBJECT, encodeAnnouncement(announcement));
      }
    } catch (error) {
      // The next announcement is seconds away; a bus that is down says so by its own events.
      if (!(error instanceof BusError)) throw error;
      logger.debug({ code: error.code }, "announcement failed");
    }
  }

  /** Stops answering. Idempotent. */
  close(): void {
    this.#cancelAnnounce?.();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions.length = 0;
  }

  #announceRegularly(): void {
    this.announce();
    this.#cancelAnnounce = this.#options.clock.after(ANNOUNCE_INTERVAL_MS, () =>
      this.#announceRegularly(),
    );
  }

  #onQuery(view: VenueView, message: BusMessage): void {
    let reply: Uint8Array;
    try {
      reply = encodeQueryReply(this.#answer(view, message));
    } catch (error) {
      reply = this.#failure(message.subject, error);
    }
    try {
      message.respond(reply);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      const { subject } = message;
      this.#options.logger.warn({ subject, code: error.code }, "reply failed");
    }
  }

  #failure(subject: string, error: unknown): Uint8Array {
    if (error instanceof QueryFailure) {
      return encodeQueryError({ code: error.code, message: error.message });
    }
    const message = error instanceof Error ? error.message : String(error);
    this.#options.logger.error({ subject, message }, "query failed");
    return encodeQueryError({ code: "CODE_INTERNAL", message: "the query failed" });
  }

  #answer(view: VenueView, message: BusMessage): Uint8Array {
    const query = parseQuerySubject(message.subject);
    if (query === undefined) throw new QueryFailure("CODE_INVALID_ARGUMENT", "unknown query");
    switch (query.query) {
      case "snapshot":
        return this.#snapshot(view, query);
      case "trades":
        return this.#trades(view, query.symbol, message.payload);
      case "candles":
        return this.#candles(view, query.symbol, message.payload);
      case "statuses":
        return this.#statuses(view, message.payload);
      case "catalog":
        return encodeCatalogReply({
          catalogVersion: view.streamed.version,
          instruments: view.streamed
            .all()
            .map(({ instrument, channels }) => instrumentMessage(instrument, channels)),
        });
    }
  }

  #snapshot(view: VenueView, query: Extract<Query, { query: "snapshot" }>): Uint8Array {
    const { publisher, clock } = this.#options;
    const { channel, symbol } = query;
    const instrument = this.#find(view, symbol);
    if (!view.streamed.has(instrument, channel)) {
      throw new QueryFailure(
        "CODE_NOT_FOUND",
        `${view.venue}:${symbol}/${channel} is not streamed`,
      );
    }
    const topic = publisher.settledTopic(instrument, channel);
    const events = topic === undefined ? [] : stateOf(topic, view);
    const header = {
      epoch: publisher.epoch,
      firstSequence: topic?.sequence ?? 0,
      publishedTimeUs: clock.nowUs(),
      snapshot: true,
    };
    return events.length === 0 ? encodePosition(header, channel) : encodeEvents(header, events);
  }

  #trades(view: VenueView, symbol: string, payload: Uint8Array): Uint8Array {
    const topic = this.#options.publisher.settledTopic(this.#find(view, symbol), "trades");
    const { request, response } = QUERY_METHODS.getTrades;
    const limit = rowLimit(decoded(request, payload).limit);
    return response.encode({ trades: (topic?.trades(limit) ?? []).map(tradeMessage) });
  }

  #candles(view: VenueView, symbol: string, payload: Uint8Array): Uint8Array {
    const topic = this.#options.publisher.settledTopic(this.#find(view, symbol), "candles");
    const { request, response } = QUERY_METHODS.getCandles;
    const asked = decoded(request, payload);
    const intervalMs = asked.intervalMs === 0 ? CANDLE_INTERVAL_MS_DEFAULT : asked.intervalMs;
    const candles = topic?.candles({ intervalMs, limit: rowLimit(asked.limit) }) ?? [];
    return response.encode({ candles: candles.map(candleMessage) });
  }

  #statuses(view: VenueView, payload: Uint8Array): Uint8Array {
    const { request, response } = QUERY_METHODS.getStatus;
    const { symbol } = decoded(request, payload);
    const instruments =
      symbol === ""
        ? view.streamed.all().map(({ instrument }) => instrument)
        : [this.#find(view, symbol)];
    const statuses = instruments.flatMap((instrument) =>
      (this.#options.publisher.settledTopic(instrument, "status")?.statuses() ?? []).map(
        statusMessage,
      ),
    );
    return response.encode({ statuses });
  }

  #find(view: VenueView, symbol: string): Instrument {
    const instrument = view.streamed.bySymbol(symbol);
    if (instrument !== undefined) return instrument;
    throw new QueryFailure("CODE_NOT_FOUND", `${view.venue}:${symbol} is not streamed`);
  }
}

/** The request; what cannot be read is the asker's mistake. */
function decoded<Request>(
  codec: { decode(bytes: Uint8Array): Request },
  payload: Uint8Array,
): Request {
  try {
    return codec.decode(payload);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new QueryFailure("CODE_INVALID_ARGUMENT", message);
  }
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
