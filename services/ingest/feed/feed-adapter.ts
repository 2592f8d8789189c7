import type { Channel, Instrument } from "#core/instrument.ts";
import type { BookSync, RawBook } from "#core/book-sync.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { MarketEvent } from "#core/market-event.ts";

export type { BookSequencing, BookSync, RawBook } from "#core/book-sync.ts";

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
