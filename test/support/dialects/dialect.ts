import type {
  MarketBook,
  MarketDelta,
  ScriptedMarket,
  ScriptedTrade,
} from "../scripted-venue-market.ts";

/** One WebSocket message of the venue. */
export type Frame = string | Uint8Array;

/** What a client asked for on one connection. Symbols are those of `Dialect.venueSymbol`. */
export type ScriptedRequest =
  | {
      readonly kind: "subscribe" | "unsubscribe";
      readonly channel: "book" | "trades";
      readonly symbol: string;
    }
  /** A book snapshot on the connection itself, for venues that are asked for it there. */
  | {
      readonly kind: "snapshot";
      readonly symbol: string;
      frame(book: MarketBook, timeUs: number): Frame;
    }
  /** What tells of the market as a whole is wanted on this connection. */
  | { readonly kind: "market" }
  /** Sent back at once, on this connection only. */
  | { readonly kind: "answer"; readonly frame: Frame };

/** What a scripted venue may say of an instrument. */
export type ScriptedState = "trading" | "halted" | "auction" | "delisted" | "listed";

/** One connection of a client, for protocols that number or name things by connection. */
export type DialectConnection = {
  /** Path and query that the client connected to. */
  readonly path: string;
  /** Symbols and channels subscribed here, as `book SYMBOL` and `trades SYMBOL`. */
  readonly subscribed: ReadonlySet<string>;
  /** Whatever the dialect wants to remember of it: channel ids, the next number. */
  readonly memory: Map<string, number>;
};

export type DialectContext = {
  readonly connection: DialectConnection;
  readonly markets: ReadonlyMap<string, ScriptedMarket>;
  /** Symbols whose subscriptions are refused. */
  readonly refused: ReadonlySet<string>;
  readonly timeUs: number;
};

/** A trade and when it was made. */
export type MadeTrade = ScriptedTrade & { readonly timeUs: number };

/** A REST request that the venue received. */
type DialectRequest = {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  /** The latest trades of a symbol, oldest first. */
  readonly trades: (symbol: string) => readonly MadeTrade[];
  /** The venue's own WebSocket address, for venues that hand it out. */
  readonly webSocketUrl: string;
  readonly timeUs: number;
};

/**
 * One venue's protocol, written from its documentation and not from the adapter: pure translations
 * between a market and the venue's texts. What is sent is right by construction; faults are the
 * server's.
 */
export type Dialect = {
  /** Base of the WebSocket address after the server's, as `endpoints.webSocket` has one. */
  readonly webSocketPath: string;
  /** The same for `endpoints.rest`. */
  readonly restPath?: string;
  /** Quote asset of the scripted markets. */
  readonly quote: string;
  /** Levels that a book subscription shows and the venue keeps; all if undefined. */
  readonly depth: number | undefined;
  /** Decimals of prices and sizes as the venue writes them. */
  readonly priceScale: number;
  readonly sizeScale: number;
  /** The price around which books begin, in its least steps; far above zero unless said. */
  readonly priceMiddle?: number;
  /** The venue answers an unknown or refused symbol with an error that names it. */
  readonly refusesByName: boolean;
  /** A request replaces the one before, so that a book is renewed with all of its connection. */
  readonly renewsTogether?: boolean;
  /**
   * What a message is about stands at its end: one that is cut off may have been of any book.
   */
  readonly namesAtEnd?: boolean;
  venueSymbol(market: ScriptedMarket): string;
  /** Tickwire's symbol of the same. */
  symbol(market: ScriptedMarket): string;
  /** Sent to every new connection. */
  greeting?(connection: DialectConnection, timeUs: number): readonly Frame[];
  /** What a frame of the client means, in order. */
  read(frame: string, context: DialectContext): readonly ScriptedRequest[];
  /** The frames that begin a book on subscribing, if the venue sends books in-band; else none. */
  snapshotFrames(symbol: string, book: MarketBook, timeUs: number): readonly Frame[];
  /** What one change is told by; usually one frame. */
  deltaFrames(
    symbol: string,
    delta: MarketDelta,
    after: MarketBook,
    timeUs: number,
  ): readonly Frame[];
  tradeFrames(symbol: string, trade: ScriptedTrade, timeUs: number): readonly Frame[];
  /**
   * The last touch before a book or trade frame goes to one connection, in the order in which the
   * venue makes them: its channel id, its running number. A frame that the network then loses was
   * stamped all the same.
   */
  stamp?(
    frame: Frame,
    symbol: string,
    channel: "book" | "trades",
    connection: DialectConnection,
  ): Frame;
  /** The same frames with a checksum that is not the book's; undefined where there are none. */
  withWrongChecksum?(frames: readonly Frame[]): readonly Frame[];
  /** A sign of life that is not data, where the venue sends any. */
  heartbeatFrame?(symbol: string, connection: DialectConnection, timeUs: number): Frame | undefined;
  /**
   * The answer to a REST request; undefined for 404. `book` gives the snapshot that is to be
   * served. A string is sent as it is, anything else as its JSON.
   */
  rest(
    request: DialectRequest,
    markets: ReadonlyMap<string, ScriptedMarket>,
    book: (symbol: string) => MarketBook | undefined,
  ): unknown;
  /** How the venue tells, to whoever asks for it, of its market as a whole. */
  readonly market?: {
    /** What one can do with an instrument now; undefined where the venue has no word for it. */
    stateFrame(symbol: string, state: ScriptedState): Frame | undefined;
    /** That its work on its systems begins or has ended. */
    maintenanceFrame?(isOver: boolean): Frame;
  };
  /** True for the address of a book snapshot. */
  isSnapshotPath(url: URL): boolean;
  /** `rest` answers requests for the latest trades. */
  readonly listsTrades?: boolean;
};
