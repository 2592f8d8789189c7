import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  BookSync,
  FeedAdapter,
  FeedDecoder,
  FeedEvent,
  FeedLimits,
  FeedSubscription,
  RawBook,
  RefusalRules,
  RestPoll,
  RestRequest,
} from "#ingest/feed/feed-adapter.ts";
import { bookProbeOf } from "#ingest/reading/book-probe.ts";
import type { FeedDialer, FeedSocketHandlers } from "#ingest/feed/connection/web-socket-dialer.ts";
import type { RestAnswer, RestClient } from "#ingest/feed/rest/rest-client.ts";

/**
 * A venue invented for driver tests: its frames are feed events with symbols in place of
 * instruments.
 */
export const FAKE_VENUE = "fake";

export function fakeInstrument(symbol: string): Instrument {
  const [base = symbol, quote = "USD"] = symbol.split("-");
  return {
    venue: FAKE_VENUE,
    symbol,
    venueSymbol: symbol,
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
  };
}

const FAKE_LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 100,
  outgoingFrames: { count: 1000, intervalMs: 1000 },
  restWeight: { count: 1000, intervalMs: 1000 },
  connects: { count: 1000, intervalMs: 1000 },
  silenceMsMax: {},
  connectionSilenceMsMax: Infinity,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: undefined,
};

const NUMBERED: BookSync["sequencing"] = {
  isCovered: (delta, id) => (delta.lastUpdateId ?? Infinity) <= id,
  bridges: (delta, id) =>
    (delta.firstUpdateId ?? 0) <= id + 1 && id + 1 <= (delta.lastUpdateId ?? 0),
  follows: (delta, id) => delta.firstUpdateId === id + 1,
};

export type FakeAdapterOptions = {
  readonly limits?: Partial<FeedLimits>;
  readonly snapshot?: BookSync["snapshot"];
  /** The numbers of books only rise. */
  readonly showsNoGaps?: boolean;
  /** The book of each of these starts another way than `snapshot` says. */
  readonly snapshotBySymbol?: Readonly<Record<string, BookSync["snapshot"]>>;
  readonly keepAliveMs?: number;
  /** What its refusals mean; told by their words if absent. */
  readonly refusals?: RefusalRules;
  /** The best levels of a book are had by REST. */
  readonly asksForLevels?: boolean;
  /** All subscriptions are in one frame, which the venue answers as a whole. */
  readonly refusesTogether?: boolean;
  /** Subscriptions are part of the address, so nothing is sent. */
  readonly subscribedByUrl?: boolean;
  /** The venue speaks first: a frame of kind `ready`. */
  readonly greets?: boolean;
  /** Frames before the subscriptions. */
  readonly openingFrames?: readonly string[];
  /** The venue hands out addresses, as the body of `fake://rest/connect`. */
  readonly handsOutAddresses?: boolean;
  /** The decoder names the channel id that the connection gave: `end 7`. */
  readonly channelIds?: boolean;
  /** Trades are had by REST after an id. */
  readonly fillsTrades?: boolean;
  /** So are the pages behind a trade. */
  readonly pagesTrades?: boolean;
  readonly polls?: readonly RestPoll[];
  /** Lists of instruments; one by default. */
  readonly lists?: readonly string[];
  /** Each list has pages, the next one named in the answer: `["A"] next`. */
  readonly paged?: boolean;
};

function syncOf(
  snapshot: BookSync["snapshot"],
  { showsNoGaps }: Pick<FakeAdapterOptions, "showsNoGaps">,
): BookSync {
  if (snapshot === "in-band" || NUMBERED === undefined) return { snapshot };
  const sequencing = showsNoGaps === true ? { ...NUMBERED, showsGaps: false } : NUMBERED;
  return { snapshot, sequencing };
}

export function createFakeAdapter(options: FakeAdapterOptions = {}): FeedAdapter {
  const { snapshot = "rest", keepAliveMs, subscribedByUrl = false, lists = [""] } = options;
  const frames = (verb: string, subscriptions: readonly FeedSubscription[]): string[] =>
    options.refusesTogether === true
      ? [`${verb} ${subscriptions.map(({ instrument }) => instrument.symbol).join(",")}`]
      : subscribedByUrl
        ? []
        : subscriptions.map(({ instrument, channel }) => `${verb} ${instrument.symbol}/${channel}`);
  return {
    venue: FAKE_VENUE,
    title: "Fake",
    documentation: [],
    notes: {},
    bookProof: { order: "sequence", content: "none", note: "" },
    channels: ["trades", "quotes", "book"],
    endpoints: { webSocket: "fake://stream", rest: "fake://rest" },
    limits: { ...FAKE_LIMITS, ...options.limits },
    bookSync: syncOf(snapshot, options),
    bookSyncOf: ({ symbol }) => syncOf(options.snapshotBySymbol?.[symbol] ?? snapshot, options),
    snapshotFrames: ({ symbol }, { requestId }) => [`snapshot ${symbol} ${requestId}`],
    ...optionalParts(options),
    ...(keepAliveMs === undefined
      ? {}
      : { keepAlive: { intervalMs: keepAliveMs, frame: (n: number) => `alive ${n}` } }),
    instrumentsRequests: ({ rest }) =>
      lists.map((list) => ({ url: `${rest}/instruments${list}`, weight: 1 })),
    recordedRequest: (url) => {
      if (url.includes("/instruments")) return { kind: "instruments" };
      if (url.endsWith("/open-interest")) {
        return { kind: "poll", channel: "open-interest", venueSymbol: undefined };
      }
      const venueSymbol = /\/book\/(.+)$/.exec(url)?.[1];
      return venueSymbol === undefined ? undefined : { kind: "book-snapshot", venueSymbol };
    },
    parseInstruments: (body) => {
      const [symbols = ""] = body.split(" ");
      return symbols.startsWith("[")
        ? { instruments: (JSON.parse(symbols) as string[]).map(fakeInstrument), skipped: 0 }
        : undefined;
    },
    deriveInstrument: fakeInstrument,
    planConnections: (subscriptions, { webSocket }) => [{ url: webSocket, subscriptions }],
    subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
    unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
    snapshotRequest: (instrument, { rest }) => ({
      url: `${rest}/book/${instrument.venueSymbol}`,
      weight: 10,
    }),
    createDecoder: ({ catalog }) => createFakeDecoder(catalog, options.channelIds ?? false),
  };
}

/** What most venues do not have. */
function optionalParts(options: FakeAdapterOptions): Partial<FeedAdapter> {
  const { greets, openingFrames, handsOutAddresses, fillsTrades, polls, paged } = options;
  return {
    ...(greets === undefined ? {} : { greets }),
    ...(openingFrames === undefined ? {} : { openingFrames: () => openingFrames }),
    ...(polls === undefined ? {} : { polls }),
    ...(options.refusals === undefined ? {} : { refusals: options.refusals }),
    ...(handsOutAddresses === true
      ? {
          connectRequest: (_plan, { rest }) => ({
            url: `${rest}/connect`,
            weight: 1,
            method: "POST" as const,
            body: "{}",
          }),
          parseConnection: (body, { connectionId }) =>
            body.startsWith("fake://")
              ? { url: `${body}?id=${connectionId}`, keepAliveIntervalMs: 700 }
              : undefined,
        }
      : {}),
    ...(fillsTrades === true
      ? {
          tradesRequest: (instrument, { afterTradeId, endpoints }) => ({
            url: `${endpoints.rest}/trades/${instrument.venueSymbol}?after=${afterTradeId}`,
            weight: 1,
          }),
        }
      : {}),
    ...(options.pagesTrades === true
      ? {
          tradesPageRequest: (instrument, { after, endpoints }) => ({
            url: `${endpoints.rest}/page/${instrument.venueSymbol}?after=${after.tradeId}`,
            weight: 1,
          }),
        }
      : {}),
    ...(options.asksForLevels === true
      ? {
          bookProbe: bookProbeOf(
            ({ venueSymbol }, { rest }) => ({ url: `${rest}/levels/${venueSymbol}`, weight: 1 }),
            { bids: "bids", asks: "asks" },
          ),
        }
      : {}),
    ...(paged === true
      ? {
          nextInstrumentsRequest: (request, body) =>
            body.endsWith(" next") ? { ...request, url: `${request.url}+` } : undefined,
        }
      : {}),
  };
}

type FakeFrame = { readonly kind: FeedEvent["kind"]; readonly symbol?: string } & Readonly<
  Record<string, unknown>
>;

function createFakeDecoder(catalog: InstrumentCatalog, channelIds: boolean): FeedDecoder {
  /** By instrument and channel, as the connection gave them. */
  const ids = new Map<string, string>();
  const decode = (text: string, at: number, emit: (event: FeedEvent) => void): void => {
    let frame: FakeFrame;
    try {
      frame = JSON.parse(text) as FakeFrame;
    } catch {
      emit({ kind: "rejected", reason: "bad-json" });
      return;
    }
    if ((frame.kind as string) === "several") {
      for (const each of frame["events"] as readonly object[]) {
        decode(JSON.stringify(each), at, emit);
      }
      return;
    }
    const { symbol, ...fields } = frame;
    const { venueSymbol, channel, channelId } = fields;
    if (typeof channelId === "number") {
      ids.set(`${String(venueSymbol)}/${String(channel)}`, String(channelId));
    }
    const instrument = symbol === undefined ? undefined : catalog.byVenueSymbol(symbol);
    const event = { receivedTimeUs: at, venueTimeUs: undefined, ...fields };
    emit({ ...event, ...(instrument === undefined ? {} : { instrument }) } as unknown as FeedEvent);
  };
  return {
    decode: (frame, at, emit) => decode(String(frame), at, emit),
    // One event a line.
    decodeRest: ({ body }, at, emit) => {
      for (const line of body.split("\n")) if (line !== "") decode(line, at, emit);
    },
    ...(channelIds
      ? {
          unsubscribeFrames: (subscriptions: readonly FeedSubscription[]) =>
            subscriptions.flatMap(({ instrument, channel }) => {
              const id = ids.get(`${instrument.venueSymbol}/${channel}`);
              return id === undefined ? [] : [`end ${id}`];
            }),
        }
      : {}),
  };
}

/** The frame of a trade. */
export function tradeFrame(symbol: string, tradeId: string, historical = false): string {
  return JSON.stringify({
    kind: "trade",
    symbol,
    tradeId,
    historical,
    aggressorSide: "buyer",
    priceMantissa: 100,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
  });
}

/** The frame (or REST body) of a value that is polled. */
export function openInterestFrame(symbol: string, value = "5"): string {
  return JSON.stringify({ kind: "open-interest", symbol, openInterest: value });
}

/** The frame of a quote. */
export function quoteFrame(symbol: string, bid = 99): string {
  return JSON.stringify({
    kind: "quote",
    symbol,
    priceScale: 0,
    sizeScale: 0,
    bidPriceMantissa: bid,
    bidSizeMantissa: 1,
    askPriceMantissa: 101,
    askSizeMantissa: 1,
  });
}

/** The frame (or REST body) of a book message that covers the updates `first` to `last`. */
export function bookFrame(
  symbol: string,
  message: {
    readonly first?: number;
    readonly last?: number;
    readonly snapshot?: boolean;
    readonly source?: RawBook["source"];
    readonly bid?: number;
    readonly size?: number;
  },
): string {
  const { first, last, snapshot = false, source = "in-band", bid = 99, size = 1 } = message;
  return JSON.stringify({
    kind: "raw-book",
    symbol,
    snapshot,
    source,
    priceScale: 0,
    sizeScale: 0,
    firstUpdateId: first,
    lastUpdateId: last,
    bids: {
      prices: [bid],
      sizes: [size],
    },
    asks: {
      prices: snapshot ? [101] : [],
      sizes: snapshot ? [1] : [],
    },
  });
}

/** A connection that was dialled, driven by the test. */
export class FakeSocket {
  readonly url: string;
  readonly handlers: FeedSocketHandlers;
  readonly sent: string[] = [];
  pings = 0;
  buffered = 0;
  ended: "closed" | "terminated" | undefined;

  constructor(url: string, handlers: FeedSocketHandlers) {
    this.url = url;
    this.handlers = handlers;
  }

  open(): this {
    this.handlers.onOpen();
    return this;
  }

  receive(...frames: readonly string[]): this {
    for (const frame of frames) this.handlers.onFrame(frame);
    return this;
  }

  drop(code = 1006): void {
    this.handlers.onClose(code, "");
  }
}

export class FakeDialer implements FeedDialer {
  readonly sockets: FakeSocket[] = [];

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nothing was dialled");
    return socket;
  }

  dial(url: string, handlers: FeedSocketHandlers): ReturnType<FeedDialer["dial"]> {
    const socket = new FakeSocket(url, handlers);
    this.sockets.push(socket);
    return {
      send: (frame) => socket.sent.push(frame),
      ping: () => {
        socket.pings += 1;
      },
      close: () => {
        socket.ended ??= "closed";
      },
      terminate: () => {
        socket.ended ??= "terminated";
      },
      bufferedBytes: () => socket.buffered,
    };
  }
}

type FakeRequest = {
  readonly request: RestRequest;
  readonly answer: (answer: Partial<RestAnswer> & { readonly status: number }) => void;
  readonly fail: (reason: string) => void;
};

export class FakeRest implements RestClient {
  /** Requests that have not been answered, oldest first. */
  readonly waiting: FakeRequest[] = [];
  /** URLs of all requests. */
  readonly urls: string[] = [];

  get(
    request: RestRequest,
    onResponse: (answer: RestAnswer) => void,
    onError: (reason: string) => void,
  ): void {
    this.urls.push(request.url);
    this.waiting.push({
      request,
      answer: (answer) => onResponse({ url: request.url, body: "", ...answer }),
      fail: onError,
    });
  }

  /** Answers the oldest request. */
  answer(status: number, body = "", retryAfterMs?: number): void {
    const next = this.waiting.shift();
    if (next === undefined) throw new Error("nobody asked");
    next.answer({ status, body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
}

export function fakeCatalog(symbols: readonly string[]): InstrumentCatalog {
  const catalog = new InstrumentCatalog({ venue: FAKE_VENUE, instrumentsMax: 1000 });
  catalog.add(symbols.map(fakeInstrument));
  return catalog;
}

/** `subscribe("BTC-USD/trades", ...)` with instruments out of the catalog. */
export function fakeSubscriptions(
  catalog: InstrumentCatalog,
  names: readonly string[],
): FeedSubscription[] {
  return names.map((name) => {
    const [symbol = "", channel] = name.split("/");
    const instrument = catalog.bySymbol(symbol);
    if (instrument === undefined) throw new Error(`${symbol} is not in the catalog`);
    return { instrument, channel: channel as Channel };
  });
}
