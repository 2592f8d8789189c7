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
  RestRequest,
} from "#ingest/feed/feed-adapter.ts";
import type {
  FeedDialer,
  FeedSocketHandlers,
  RestAnswer,
  RestClient,
} from "#ingest/feed/web-socket-dialer.ts";

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

export const FAKE_LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 100,
  outgoingFrames: { count: 1000, intervalMs: 1000 },
  restWeight: { count: 1000, intervalMs: 1000 },
  connects: { count: 1000, intervalMs: 1000 },
  silenceMsMax: {},
  connectionSilenceMsMax: Infinity,
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
  readonly snapshot?: "rest" | "in-band";
  readonly keepAliveMs?: number;
  /** Subscriptions are part of the address, so nothing is sent. */
  readonly subscribedByUrl?: boolean;
};

export function createFakeAdapter(options: FakeAdapterOptions = {}): FeedAdapter {
  const { snapshot = "rest", keepAliveMs, subscribedByUrl = false } = options;
  const frames = (verb: string, subscriptions: readonly FeedSubscription[]): string[] =>
    subscribedByUrl
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
    bookSync:
      snapshot === "rest"
        ? { snapshot, ...(NUMBERED === undefined ? {} : { sequencing: NUMBERED }) }
        : { snapshot },
    ...(keepAliveMs === undefined
      ? {}
      : { keepAlive: { intervalMs: keepAliveMs, frame: (n: number) => `alive ${n}` } }),
    instrumentsRequests: ({ rest }) => [{ url: `${rest}/instruments`, weight: 1 }],
    isInstrumentsUrl: (url) => url.endsWith("/instruments"),
    parseInstruments: (body) =>
      body.startsWith("[")
        ? { instruments: (JSON.parse(body) as string[]).map(fakeInstrument), skipped: 0 }
        : undefined,
    deriveInstrument: fakeInstrument,
    planConnections: (subscriptions, { webSocket }) => [{ url: webSocket, subscriptions }],
    subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
    unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
    snapshotRequest: (instrument, { rest }) => ({
      url: `${rest}/book/${instrument.venueSymbol}`,
      weight: 10,
    }),
    snapshotVenueSymbol: (url) => /\/book\/(.+)$/.exec(url)?.[1],
    createDecoder: ({ catalog }) => createFakeDecoder(catalog),
  };
}

type FakeFrame = { readonly kind: FeedEvent["kind"]; readonly symbol?: string } & Readonly<
  Record<string, unknown>
>;

function createFakeDecoder(catalog: InstrumentCatalog): FeedDecoder {
  const decode = (text: string, at: number, emit: (event: FeedEvent) => void): void => {
    let frame: FakeFrame;
    try {
      frame = JSON.parse(text) as FakeFrame;
    } catch {
      emit({ kind: "rejected", reason: "bad-json" });
      return;
    }
    const { symbol, ...fields } = frame;
    const instrument = symbol === undefined ? undefined : catalog.byVenueSymbol(symbol);
    const event = { receivedTimeUs: at, venueTimeUs: undefined, ...fields };
    emit({ ...event, ...(instrument === undefined ? {} : { instrument }) } as unknown as FeedEvent);
  };
  return {
    decode: (frame, at, emit) => decode(String(frame), at, emit),
    decodeRest: (response, at, emit) => decode(response.body, at, emit),
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
