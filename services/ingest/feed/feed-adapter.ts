import type { OrderBook } from "@tickwire/proto/model";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { LevelColumns, MarketEvent } from "#core/market-event.ts";

/** One channel of one instrument, as wanted from a venue. */
export type FeedSubscription = {
  readonly instrument: Instrument;
  readonly channel: Channel;
};

/** One WebSocket connection and what it carries. */
export type ConnectionPlan = {
  readonly url: string;
  readonly subscriptions: readonly FeedSubscription[];
};

/** A REST request; GET only. */
export type RestRequest = {
  readonly url: string;
  /** Cost against the venue's budget. */
  readonly weight: number;
};

/** A REST answer, live or out of a capture. */
export type RestResponse = {
  readonly url: string;
  readonly status: number;
  readonly body: string;
};

/**
 * A book message as the venue sent it, before synchronisation. Identifiers are the venue's own;
 * undefined where it has none.
 */
export type RawBook = {
  readonly kind: "raw-book";
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  readonly snapshot: boolean;
  /** Where the snapshot came from; `in-band` for deltas. */
  readonly source: "in-band" | "rest";
  /** First update that the message covers (Binance U). */
  readonly firstUpdateId: number | undefined;
  /** Last update that the message covers (Binance u, lastUpdateId). */
  readonly lastUpdateId: number | undefined;
  /** Last update of the message before (Binance USDⓈ-M pu). */
  readonly previousUpdateId: number | undefined;
  /** The venue's checksum of the book after this message. */
  readonly checksum: number | undefined;
  /**
   * Levels per side that the venue keeps, where what falls out is not said (Kraken): the book is
   * cut to it after each message, before the checksum. Constant for one subscription.
   */
  readonly depth?: number;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: LevelColumns;
  readonly asks: LevelColumns;
};

/** What a decoder emits. */
export type FeedEvent =
  | Exclude<MarketEvent, { kind: "book" | "status" }>
  | RawBook
  /** The venue confirmed (or refused) a subscription. */
  | { readonly kind: "subscribed"; readonly venueSymbol: string; readonly channel: Channel }
  | {
      readonly kind: "refused";
      /** Undefined if the venue does not say which. */
      readonly venueSymbol: string | undefined;
      readonly channel: Channel | undefined;
      readonly reason: string;
    }
  /** A sign of life that is not data (heartbeat, pong). */
  | { readonly kind: "heartbeat" }
  /** The venue asks us to reconnect (maintenance, planned restart). */
  | { readonly kind: "reconnect-requested"; readonly reason: string }
  /**
   * A piece of data that could not be used. With instrument and channel where the decoder knows
   * what was lost: the driver then resyncs that book, for venues whose messages carry no sequence
   * to notice it by.
   */
  | {
      readonly kind: "rejected";
      readonly reason: RejectReason;
      readonly instrument?: Instrument;
      readonly channel?: Channel;
    };

/** Why a piece of venue data was not used. Counted, never thrown. */
export type RejectReason =
  | "bad-json"
  | "unknown-message"
  | "unknown-instrument"
  | "missing-field"
  | "bad-decimal"
  | "bad-time"
  | "non-positive-size"
  | "negative-size"
  | "non-positive-price"
  | "crossed-quote"
  /** The venue's own numbering shows that data before this was not received. */
  | "missing-data"
  | "catalog-full";

/**
 * Turns the frames of one connection into feed events. One decoder a connection, no I/O, no clock.
 */
export type FeedDecoder = {
  /**
   * Tells the decoder of a frame that was sent on its connection, for venues whose answers name
   * only the request's id. Optional in both directions: a decoder that is not told reports such an
   * answer as a heartbeat.
   */
  sent?(frame: string): void;
  /**
   * Never throws on venue data: what it cannot map, it emits as `rejected`. Text frames come as
   * string.
   */
  decode(
    frame: string | Uint8Array,
    receivedTimeUs: number,
    emit: (event: FeedEvent) => void,
  ): void;
  /** The same for a REST answer with status 200 (a book snapshot, recent trades). */
  decodeRest(
    response: RestResponse,
    receivedTimeUs: number,
    emit: (event: FeedEvent) => void,
  ): void;
};

/** How deltas follow a snapshot and each other. Pure functions of the venue's identifiers. */
export type BookSequencing = {
  /** True if the snapshot already contains this delta: drop it. */
  isCovered(delta: RawBook, snapshotUpdateId: number): boolean;
  /** True if the delta is the first that may follow the snapshot. */
  bridges(delta: RawBook, snapshotUpdateId: number): boolean;
  /** True if the delta directly continues the last applied one. */
  follows(delta: RawBook, lastUpdateId: number): boolean;
};

/** How a venue's book is started and proven. */
export type BookSync = {
  /** Where a snapshot comes from: REST by request, or the stream after a new subscription. */
  readonly snapshot: "rest" | "in-band";
  /** Undefined where the venue numbers nothing. */
  readonly sequencing?: BookSequencing;
  /**
   * The checksum of the book as it stands; compared with RawBook.checksum where that is present.
   */
  readonly checksum?: (book: OrderBook, instrument: Instrument) => number;
};

/** Pace of outgoing requests: at most `count` in any `intervalMs`. */
export type RateLimit = { readonly count: number; readonly intervalMs: number };

export type FeedLimits = {
  readonly subscriptionsPerConnectionMax: number;
  /** Frames that we may send. */
  readonly outgoingFrames: RateLimit;
  /** REST weight that we may spend. */
  readonly restWeight: RateLimit;
  readonly connects: RateLimit;
  /** A channel silent for longer than this is stale. A channel without an entry is never judged. */
  readonly silenceMsMax: Partial<Record<Channel, number>>;
  /** No frame of any kind for this long: the connection is dead. */
  readonly connectionSilenceMsMax: number;
  /** Reconnect on our own before the venue does it; undefined if it never does. */
  readonly connectionAgeMsMax: number | undefined;
};

export type FeedEndpoints = {
  /** WebSocket base address(es), replaceable by configuration (tests, mirrors). */
  readonly webSocket: string;
  readonly rest: string;
};

/** Everything the ingestor knows about one venue. Pure: no socket, clock or environment. */
export type FeedAdapter = {
  readonly venue: string;
  readonly channels: readonly Channel[];
  readonly endpoints: FeedEndpoints;
  readonly limits: FeedLimits;
  readonly bookSync: BookSync;
  /** A frame that keeps the connection alive at application level, if the venue wants one. */
  readonly keepAlive?: { readonly intervalMs: number; frame(sequence: number): string };
  /** The request that lists instruments. */
  instrumentsRequest(endpoints: FeedEndpoints): RestRequest;
  /** Whether a REST answer (of a capture) is the list of instruments. */
  isInstrumentsUrl(url: string): boolean;
  /**
   * Undefined if the body is not such a list. Instruments that cannot be mapped are left out and
   * counted.
   */
  parseInstruments(
    body: string,
  ): { readonly instruments: readonly Instrument[]; readonly skipped: number } | undefined;
  /**
   * An instrument made from its venue symbol alone, for captures without a list. Undefined if it is
   * not one.
   */
  deriveInstrument(venueSymbol: string): Instrument | undefined;
  /**
   * Splits what is wanted over connections, none above the venue's limit. Leaves out what an
   * instrument cannot have, such as the funding of a dated future.
   */
  planConnections(
    subscriptions: readonly FeedSubscription[],
    endpoints: FeedEndpoints,
  ): readonly ConnectionPlan[];
  /** Frames to send after opening, in order. `requestId` starts where the last call ended. */
  subscribeFrames(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[];
  unsubscribeFrames(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[];
  /** The REST request of a book snapshot; present if `bookSync.snapshot` is `rest`. */
  snapshotRequest?(instrument: Instrument, endpoints: FeedEndpoints): RestRequest;
  /** The venue symbol that a REST snapshot URL is about, to match answers to books. */
  snapshotVenueSymbol?(url: string): string | undefined;
  createDecoder(context: FeedDecoderContext): FeedDecoder;
};

export type FeedSubscribeOptions = {
  readonly requestId: number;
  /** Levels per side to ask for; the adapter picks the nearest depth that the venue offers. */
  readonly bookDepth: number;
};

export type FeedDecoderContext = {
  readonly catalog: InstrumentCatalog;
  /** Depth that was subscribed, where the venue does not repeat it in its messages. */
  readonly bookDepth: number;
};
