import type { Channel, Instrument, InstrumentState } from "#core/instrument.ts";
import type { BookSync, RawBook } from "#core/book-sync.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Candle, MarketEvent } from "#core/market-event.ts";
import type { FeedTick } from "#core/market-tick.ts";
import type { BookProof, ProtocolDates } from "./protocol-facts.ts";

export type { BookProof, ProtocolDates } from "./protocol-facts.ts";
export type { BookSequencing, BookSync, RawBook } from "#core/book-sync.ts";

/** One channel of one instrument, as wanted from a venue. */
export type FeedSubscription = {
  readonly instrument: Instrument;
  readonly channel: Channel;
};

/** One WebSocket connection and what it carries. */
export type ConnectionPlan = {
  readonly url: string;
  /** The same at another address, tried in turns with the first while connections do not open. */
  readonly fallbackUrl?: string;
  readonly subscriptions: readonly FeedSubscription[];
};

/** A REST request. */
export type RestRequest = {
  readonly url: string;
  /** Cost against the venue's budget. */
  readonly weight: number;
  /** GET unless said. */
  readonly method?: "GET" | "POST";
  /** JSON text of a POST. */
  readonly body?: string;
};

/** A REST answer, live or out of a capture. */
export type RestResponse = {
  readonly url: string;
  readonly status: number;
  readonly body: string;
};

/**
 * What a REST request is asked for. It comes back to the decoder with the answer, so that no
 * decoder has to read it out of an address.
 */
export type RestPurpose =
  | { readonly kind: "book-snapshot"; readonly channel: "book"; readonly instrument: Instrument }
  | { readonly kind: "trades"; readonly channel: "trades"; readonly instrument: Instrument }
  | {
      readonly kind: "poll";
      readonly channel: Channel;
      /** Undefined for a request whose one answer tells of all instruments. */
      readonly instrument: Instrument | undefined;
    };

/** The body of a REST answer with status 200, and what it was asked for. */
export type RestReply = {
  readonly purpose: RestPurpose;
  readonly body: string;
};

/** What the address of a recorded request says that the request was for. */
export type RecordedRequest =
  | { readonly kind: "instruments" }
  | {
      readonly kind: "book-snapshot" | "trades";
      readonly venueSymbol: string;
      readonly venueMarket?: string;
    }
  | {
      readonly kind: "poll";
      readonly channel: Channel;
      /** Undefined for a request whose one answer tells of all instruments. */
      readonly venueSymbol: string | undefined;
      readonly venueMarket?: string;
    };

/** What a decoder emits. */
export type FeedEvent =
  | Exclude<MarketEvent, { kind: "book" | "status" | "listing" }>
  | RawBook
  /** The venue confirmed (or refused) a subscription. */
  | {
      readonly kind: "subscribed";
      readonly venueSymbol: string;
      readonly venueMarket?: string;
      readonly channel: Channel;
    }
  | {
      readonly kind: "refused";
      /** Undefined if the venue does not say which. */
      readonly venueSymbol: string | undefined;
      readonly venueMarket?: string;
      readonly channel: Channel | undefined;
      readonly reason: string;
      /** The venue's code for it, where it has one. */
      readonly code?: string | undefined;
    }
  /** A sign of life that is not data (heartbeat, pong). */
  | { readonly kind: "heartbeat" }
  /** The venue wants this frame back on the same connection, at once (its ping, its challenge). */
  | { readonly kind: "reply"; readonly frame: string }
  /** The venue has greeted; see `FeedAdapter.greets`. */
  | { readonly kind: "ready" }
  /** The venue asks us to reconnect (maintenance, planned restart). */
  | { readonly kind: "reconnect-requested"; readonly reason: string }
  /** What can be done with an instrument is this now, in our words and the venue's. */
  | {
      readonly kind: "instrument-state";
      readonly instrument: Instrument;
      readonly state: InstrumentState;
      readonly word: string;
    }
  /** The same of the venue as a whole; `trading` ends what was said before. */
  | { readonly kind: "venue-state"; readonly state: InstrumentState; readonly word: string }
  /** The venue's list is another than it was: something was listed, changed or went. */
  | { readonly kind: "list-changed" }
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
  /** The venue's own numbering shows that data before this was not received. */
  | "missing-data"
  | "catalog-full"
  /** The venue's own code threw at it, which is a fault of ours: see `venue-fence.ts`. */
  | "decoder-fault";

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
   * In place of the adapter's, where a request replaces everything that the connection had asked
   * for: it then asks for that again as well. Nothing if what was asked last says the same and has
   * not left yet. Undefined leaves it to the adapter.
   */
  subscribeFrames?(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[] | undefined;
  /**
   * In place of the adapter's, where the end of a subscription is named by what only the connection
   * knows (a channel id that the venue gave). Undefined leaves it to the adapter.
   */
  unsubscribeFrames?(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[] | undefined;
  /**
   * Reads a text frame in its bytes if it is of a form that the venue sends so often that reading
   * all of JSON would cost too much: then it emits exactly what `decode` would, or hands on a tick
   * in place of an event where ticks are taken. False for any other frame, of which it has taken no
   * notice and emitted nothing: that one goes to `decode`. The bytes are the caller's again
   * afterwards.
   */
  scan?(
    bytes: Uint8Array,
    receivedTimeUs: number,
    emit: (event: FeedEvent) => void,
    takeTick?: (tick: FeedTick) => void,
  ): boolean;
  /**
   * Never throws on venue data: what it cannot map, it emits as `rejected`. Text frames come as
   * string.
   */
  decode(
    frame: string | Uint8Array,
    receivedTimeUs: number,
    emit: (event: FeedEvent) => void,
  ): void;
  /**
   * The same for a REST answer with status 200 (a book snapshot, recent trades, a polled channel).
   * Trades come oldest first.
   */
  decodeRest(reply: RestReply, receivedTimeUs: number, emit: (event: FeedEvent) => void): void;
};

/** Pace of outgoing requests: at most `count` in any `intervalMs`. */
export type RateLimit = { readonly count: number; readonly intervalMs: number };

/** What a venue counts for an address. Kept for each host over all of its connections. */
export type AddressLimits = {
  /** Venues with the same name share these limits; the host of the address if absent. */
  readonly name?: string;
  /** Frames that we may send, on all connections together. */
  readonly outgoingFrames?: RateLimit;
  /** Connections that may be open or opening at once. */
  readonly connectionsMax?: number;
  /** Subscriptions, as the venue counts them, on all connections together. */
  readonly subscriptionsMax?: number;
};

export type FeedLimits = {
  readonly subscriptionsPerConnectionMax: number;
  /** Frames that we may send. */
  readonly outgoingFrames: RateLimit;
  /** REST weight that we may spend. */
  readonly restWeight: RateLimit;
  readonly connects: RateLimit;
  /**
   * A channel silent for longer than this is stale, unless the venue's REST shows that nothing
   * happened.
   */
  readonly silenceMsMax: Partial<Record<Channel, number>>;
  /**
   * Those of `silenceMsMax` that the venue sends at least so often whatever happens. Their silence
   * is a fault without asking, and they are not live before their first data.
   */
  readonly alwaysSpoken?: readonly Channel[];
  /** What the venue counts for our address, over all connections of the process. */
  readonly address?: AddressLimits;
  /**
   * The largest message that is taken, inflated: some times the largest that the venue sends. A
   * larger one ends its connection, before it holds up every other one while it is read.
   */
  readonly frameBytesMax: number;
  /** No frame of any kind for this long: the connection is dead. */
  readonly connectionSilenceMsMax: number;
  /** Reconnect on our own before the venue does it; undefined if it never does. */
  readonly connectionAgeMsMax: number | undefined;
};

/** Codes and words by which a venue says one thing. */
type RefusalMarks = { readonly codes?: readonly string[]; readonly words?: RegExp };

/**
 * What a venue's refusals mean, from its documents. Codes go before words; a code that means
 * several things is left out, so that its words decide.
 */
export type RefusalRules = {
  /** It is already so: what was asked for is served. */
  readonly harmless?: RefusalMarks;
  /** Asking again later may help. */
  readonly passing?: RefusalMarks;
  /** The same, and everything that our address sends has to slow down. */
  readonly tooFast?: RefusalMarks;
  /** Asking again gives the same. */
  readonly final?: RefusalMarks;
};

/** How the venue is asked what a book's best levels are, at the least weight. */
export type BookProbe = {
  request(instrument: Instrument, endpoints: FeedEndpoints): RestRequest;
  /** Levels per side that are compared: no more than the answer has. */
  readonly levelsMax: number;
  /** So many levels of the answer, written by `levelsTextOf`; undefined if it holds no book. */
  levels(body: string): string | undefined;
};

/** Base addresses, replaceable by configuration (tests, mirrors). */
export type FeedEndpoints = {
  readonly webSocket: string;
  /** Where the venue's sockets are reached as well; not used in place of a configured address. */
  readonly webSocketFallback?: string;
  readonly rest: string;
  /** Where a venue serves derivatives (or another part of its market) from hosts of their own. */
  readonly derivativesWebSocket?: string;
  readonly derivativesRest?: string;
};

/** A channel that the venue has by REST only. */
export type RestPoll = {
  readonly channel: Channel;
  readonly intervalMs: number;
  /** The requests of one round; the answers go to `decodeRest`. */
  requests(instruments: readonly Instrument[], endpoints: FeedEndpoints): readonly PollRequest[];
};

/** One request of a round, with the instrument that it is about unless it is about all of them. */
export type PollRequest = RestRequest & { readonly instrument?: Instrument };

/** Candles of one length that begin in a range of time; its end is no part of it. */
export type CandleRange = {
  readonly intervalMs: number;
  readonly fromMs: number;
  readonly toMs: number;
};

/** What an answer with candles is about. */
export type CandleSubject = {
  readonly instrument: Instrument;
  readonly intervalMs: number;
  /** By the venue's clock, as far as it is known: what had ended by then is closed. */
  readonly receivedTimeUs: number;
};

/** Candles of the past, as a venue has them by REST. */
export type CandleHistory = {
  /** Lengths that it has, rising. */
  readonly intervalsMs: readonly number[];
  /** Candles that one answer holds at most. */
  readonly rowsMax: number;
  /** Longest range of one request, where the venue limits that too. */
  readonly spanMsMax?: number;
  /** The venue gives its latest candles whatever is asked; those before them are not to be had. */
  readonly isLatestOnly?: boolean;
  /**
   * The ranges, oldest first, that a longer one is asked for in, so that each answer holds all of
   * its candles. Both ends are moved out to where candles begin. Where a venue has its latest
   * candles alone there is one. Throws RangeError for a range of more than `pagesMax` of them.
   */
  pages(range: CandleRange, pagesMax: number): readonly CandleRange[];
  /** Undefined if the venue has no such candles of the instrument. */
  request(
    instrument: Instrument,
    range: CandleRange,
    endpoints: FeedEndpoints,
  ): RestRequest | undefined;
  /**
   * The candles of an answer, oldest first, each once, and how many could not be read. Undefined if
   * the answer holds none.
   */
  parse(
    body: string,
    subject: CandleSubject,
  ): { readonly candles: readonly Candle[]; readonly skipped: number } | undefined;
};

/** Where a stream of trades stands. */
export type TradePosition = {
  readonly tradeId: string;
  /** Undefined where the venue gave no time. */
  readonly venueTimeUs: number | undefined;
};

/** Where to connect, as told by a venue that wants to be asked first. */
export type ConnectionTicket = {
  readonly url: string;
  /** In place of the adapter's keep-alive interval. */
  readonly keepAliveIntervalMs?: number;
};

/** Everything the ingestor knows about one venue. Pure: no socket, clock or environment. */
export type FeedAdapter = {
  readonly venue: string;
  /** The venue and its protocol, for people: `Bybit v5`. */
  readonly title: string;
  /** The venue's pages that this adapter follows. */
  readonly documentation: readonly string[];
  /** When the venue spoke this protocol, where it is not the one that it speaks today. */
  readonly spoken?: ProtocolDates;
  readonly channels: readonly Channel[];
  /** The venue never says that a candle is over: it is when its time is. */
  readonly candlesEndUnsaid?: true;
  /** What a user should know of a channel here, one sentence each. */
  readonly notes: Partial<Record<Channel, string>>;
  readonly bookProof: BookProof;
  readonly endpoints: FeedEndpoints;
  /** Sent with every handshake and every REST request, where the venue's answers depend on them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits: FeedLimits;
  /** What the venue's refusals mean; told by their words alone if absent. */
  readonly refusals?: RefusalRules;
  readonly bookSync: BookSync;
  /** In place of `bookSync` where the books of a venue differ. */
  bookSyncOf?(instrument: Instrument, options: { readonly bookDepth: number }): BookSync;
  /** A frame that keeps the connection alive at application level, if the venue wants one. */
  readonly keepAlive?: { readonly intervalMs: number; frame(sequence: number): string };
  /** The venue speaks first: nothing is sent before the decoder emits `ready`. */
  readonly greets?: boolean;
  /** Sent once on each connection, before the subscriptions. */
  openingFrames?(options: FeedSubscribeOptions): readonly string[];
  /**
   * Sent on one connection of the venue, at an address that serves it: subscribes what is emitted
   * as `instrument-state`, `venue-state` and `list-changed`; its answers are heartbeats.
   */
  marketFrames?(url: string, options: FeedSubscribeOptions): readonly string[];
  /** Asked before each connect, where the venue hands out addresses. */
  connectRequest?(plan: ConnectionPlan, endpoints: FeedEndpoints): RestRequest;
  /** Where to connect, out of the answer; undefined if it holds no address. */
  parseConnection?(
    body: string,
    options: { readonly plan: ConnectionPlan; readonly connectionId: string },
  ): ConnectionTicket | undefined;
  /** The requests that list instruments; each answer is given to `parseInstruments`. */
  instrumentsRequests(endpoints: FeedEndpoints): readonly RestRequest[];
  /** The request of the page after this answer, where lists come in pages. */
  nextInstrumentsRequest?(request: RestRequest, body: string): RestRequest | undefined;
  /**
   * What a request was for whose address stands in a recording, whatever client made it. Undefined
   * if its answer holds neither instruments nor market data, or for an address that is not known.
   */
  recordedRequest(url: string): RecordedRequest | undefined;
  /** Undefined if the body is no list. What cannot be mapped, or is paused, is counted only. */
  parseInstruments(
    body: string,
    url: string,
  ):
    | {
        readonly instruments: readonly Instrument[];
        readonly skipped: number;
        readonly paused?: readonly Instrument[];
      }
    | undefined;
  /**
   * An instrument made from its venue symbol alone, for captures without a list. Undefined if it is
   * not one.
   */
  deriveInstrument(venueSymbol: string, venueMarket?: string): Instrument | undefined;
  /**
   * Splits what is wanted over connections, none above the venue's limit. Leaves out what an
   * instrument cannot have, such as the funding of a dated future, and what is polled.
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
  /** The frames that ask for a book snapshot; present if `bookSync.snapshot` is `request`. */
  snapshotFrames?(instrument: Instrument, options: FeedSubscribeOptions): readonly string[];
  /** Lengths of the candles that it subscribes or polls, rising. One minute if absent. */
  readonly candleIntervalsMs?: readonly number[];
  /** Candles of the past, where the venue has them. */
  readonly candleHistory?: CandleHistory;
  /** Channels that are asked for by REST, again and again. */
  readonly polls?: readonly RestPoll[];
  /**
   * The latest trades, or those after this one if the venue can be asked so. What a reconnect
   * missed is taken from the answer if that reaches back to this trade.
   */
  tradesRequest?(
    instrument: Instrument,
    options: { readonly afterTradeId: string; readonly endpoints: FeedEndpoints },
  ): RestRequest;
  /**
   * The page of the trades that follow this one, oldest of them first in time, where the venue can
   * be asked so; for holes that reach back further than its latest trades. Best with this trade
   * itself, which proves that nothing lies between. Undefined if it cannot be asked about this one.
   */
  tradesPageRequest?(
    instrument: Instrument,
    options: { readonly after: TradePosition; readonly endpoints: FeedEndpoints },
  ): RestRequest | undefined;
  /** Asks what the best levels of a book are now, for one whose stream is quiet. */
  readonly bookProbe?: BookProbe;
  /** Asks for the venue's clock. */
  serverTimeRequest?(endpoints: FeedEndpoints): RestRequest;
  /** The venue's clock in microseconds since 1970; undefined if the body does not hold it. */
  parseServerTimeUs?(body: string): number | undefined;
  createDecoder(context: FeedDecoderContext): FeedDecoder;
};

export type FeedSubscribeOptions = {
  readonly requestId: number;
  /** Levels per side to ask for; the adapter picks the nearest depth that the venue offers. */
  readonly bookDepth: number;
};

export type FeedDecoderContext = {
  readonly catalog: InstrumentCatalog;
  /** The connection's address, which may say what part of the venue it serves; absent for REST. */
  readonly url?: string;
  /** Depth that was subscribed, where the venue does not repeat it in its messages. */
  readonly bookDepth: number;
};
