// https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
// https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { AggressorSide } from "#core/market-event.ts";
import { BookAt, BookTick, QuoteAt, QuoteTick, TradeAt, TradeTick } from "#core/market-tick.ts";
import { type Emit, emitTick, heartbeat, type TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  decimal,
  literal,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedBook } from "../../reading/scanned-levels.ts";
import { beginTick, isWholeQuote, isWholeTrade } from "../../reading/scanned-ticks.ts";
import { FoundValues, LearntFrames, type ValueReader } from "../../reading/learnt-frames.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import type { BinanceWriting } from "./readings.ts";
import { SeenMembers } from "../../reading/seen-members.ts";

/** What the reader remembers of one instrument. */
export type BinanceInstrumentState = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** `trade` or `aggTrade`, whichever spoke first: both tell of the same trades. */
  tradeStream: unknown;
  /** The same for a book by changes and one by its best levels. */
  bookStream: "changes" | "best-levels" | undefined;
};

const STREAM = bytesOf('{"stream":"');
const DATA = bytesOf('","data":{');
const DEPTH = bytesOf("@depth");
const TRUE = bytesOf("true");
const FALSE = bytesOf("false");
const MARKET = bytesOf("MARKET");
const TRADE = bytesOf("trade");
const BOOK_TICKER = bytesOf("bookTicker");
const DEPTH_UPDATE = bytesOf("depthUpdate");
const PREVIOUS_ID = bytesOf('"pu":');
/** Members that are of no use, or stand in one of the family's venues only. */
const USELESS = ['"st":', '"ps":', '"nq":'].map(bytesOf);

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const AT = 0x40;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;

/** Keys that were seen in a payload, as bits. */
const Seen = {
  Event: 1,
  EventTime: 2,
  Time: 4,
  Symbol: 8,
  FirstId: 16,
  LastId: 32,
  PreviousId: 64,
  Bid: 128,
  BidSize: 256,
  Ask: 512,
  AskSize: 1024,
  TradeId: 2048,
  Price: 4096,
  Size: 8192,
  Maker: 16_384,
  Way: 32_768,
  Bids: 65_536,
  Asks: 131_072,
} as const;

/** Places of numbers in the scanner's column. */
const At = {
  EventTime: 0,
  Time: 1,
  FirstId: 2,
  LastId: 3,
  PreviousId: 4,
  Bid: 5,
  BidSize: 6,
  Ask: 7,
  AskSize: 8,
  TradeId: 9,
  Price: 10,
  Size: 11,
} as const;

/** What a value is that stands in a frame, where it is none of the numbers above. */
const Sort = { Bids: 12, Asks: 13, Maker: 14, Way: 15, Unused: 16 } as const;

const QUOTE_KEYS = Seen.Symbol | Seen.Bid | Seen.BidSize | Seen.Ask | Seen.AskSize;
const SPOT_QUOTE_KEYS = QUOTE_KEYS | Seen.LastId;
const TRADE_KEYS = Seen.Symbol | Seen.TradeId | Seen.Price | Seen.Size | Seen.Maker;
const BOOK_KEYS = Seen.Symbol | Seen.FirstId | Seen.LastId | Seen.Bids | Seen.Asks;

type Kind = "quote" | "trade" | "book" | undefined;

/** What the members of a payload come to that are the same in every message of a stream. */
type Payload = {
  readonly kind: Kind;
  readonly state: BinanceInstrumentState;
  /** The keys that stand in it. */
  readonly seen: number;
};

/**
 * Reads quotes, trades and changes of books of the combined streams in their bytes. The members may
 * stand in any order in which the symbol comes before what is read at its scales.
 */
export class BinanceScanner implements ValueReader<Payload> {
  readonly #symbols: SymbolTable<BinanceInstrumentState>;
  readonly #bookTime: BinanceWriting["bookTimeField"];
  readonly #numbers = new Float64Array(12);
  readonly #levels = new ScannedBook();
  readonly #quoteTick = new QuoteTick();
  readonly #tradeTick = new TradeTick();
  readonly #bookTick = new BookTick();
  // Of the payload that is being scanned.
  readonly #seen = new SeenMembers();
  readonly #learnt: LearntFrames<Payload>;
  readonly #found = new FoundValues();
  #kind: Kind;
  #state: BinanceInstrumentState | undefined;
  #isBuyerMaker = false;
  #isOfMarket = false;

  constructor(
    symbols: SymbolTable<BinanceInstrumentState>,
    catalog: InstrumentCatalog,
    { bookTimeField }: Pick<BinanceWriting, "bookTimeField">,
  ) {
    this.#symbols = symbols;
    this.#learnt = new LearntFrames(catalog);
    this.#bookTime = bookTimeField;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const last = bytes.length - 1;
    if (bytes[last] !== CLOSE_BRACE || bytes[last - 1] !== CLOSE_BRACE) return false;
    if (this.#learnt.find(bytes, STREAM.length, this) !== undefined) {
      return this.#tell(receivedTimeUs, emit, takeTick);
    }
    const name = literal(bytes, 0, STREAM);
    const nameEnd = textEnd(bytes, name);
    const payload = literal(bytes, nameEnd, DATA);
    if (payload < 0 || !this.#members(bytes, payload, last - 1)) return false;
    if (this.#kind === "book" && isOfBestLevels(bytes, name, nameEnd)) return false;
    const state = this.#state;
    if (!this.#tell(receivedTimeUs, emit, takeTick) || state === undefined) return false;
    const meaning = { kind: this.#kind, state, seen: this.#seen.bits };
    this.#learnt.learn(bytes, STREAM.length, this.#found, meaning);
    return true;
  }

  /** Tells what was read of the payload. False, with nothing told, if that is for the decoder. */
  #tell(receivedTimeUs: number, emit: Emit, takeTick: TakeTick | undefined): boolean {
    switch (this.#kind) {
      case "quote":
        return this.#quote(receivedTimeUs, emit, takeTick);
      case "trade":
        return this.#trade(receivedTimeUs, emit, takeTick);
      case "book":
        return this.#book(receivedTimeUs, emit, takeTick);
      case undefined:
        // Spot's quotes do not say what they are.
        if (!this.#seen.has(SPOT_QUOTE_KEYS)) return false;
        return this.#quote(receivedTimeUs, emit, takeTick);
    }
  }

  /** See `ValueReader`. */
  beginLearnt({ kind, state, seen }: Payload): void {
    this.#kind = kind;
    this.#state = state;
    this.#seen.restore(seen);
    if (kind === "book") this.#levels.begin(state.scales);
  }

  /** See `ValueReader`. */
  readValue(bytes: Uint8Array, at: number, sort: number): number {
    const numbers = this.#numbers;
    switch (sort) {
      case At.Bid:
      case At.Ask:
      case At.Price:
        return decimal(bytes, at, this.#state!.scales.form.price, numbers, sort);
      case At.BidSize:
      case At.AskSize:
      case At.Size:
        return decimal(bytes, at, this.#state!.scales.form.size, numbers, sort);
      case Sort.Bids:
        return this.#levels.bids.quoted(bytes, at, this.#levels.form, 0);
      case Sort.Asks:
        return this.#levels.asks.quoted(bytes, at, this.#levels.form, 0);
      case Sort.Maker:
        return this.#readMaker(bytes, at);
      case Sort.Way:
        return this.#readWay(bytes, at);
      case Sort.Unused:
        return skipScalar(bytes, at);
      default:
        return wholeNumber(bytes, at, numbers, sort);
    }
  }

  /** Reads the members of the payload, which ends at `end`. */
  #members(bytes: Uint8Array, start: number, end: number): boolean {
    this.#seen.begin();
    this.#found.begin();
    this.#kind = undefined;
    this.#state = undefined;
    let at = start;
    for (;;) {
      at = this.#member(bytes, at);
      if (at < 0) return false;
      if (at === end) return true;
      if (bytes[at] !== COMMA) return false;
      at += 1;
    }
  }

  #member(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== QUOTE || bytes[at + 2] !== QUOTE || bytes[at + 3] !== COLON) {
      return this.#longMember(bytes, at);
    }
    const value = at + 4;
    switch (bytes[at + 1]!) {
      case 0x62: // b
        if (bytes[value] === OPEN_BRACKET) return this.#side(bytes, value, Seen.Bids);
        return this.#quoted(bytes, value, Seen.Bid, At.Bid, true);
      case 0x42: // B
        return this.#quoted(bytes, value, Seen.BidSize, At.BidSize, false);
      case 0x61: // a
        if (bytes[value] === OPEN_BRACKET) return this.#side(bytes, value, Seen.Asks);
        return this.#quoted(bytes, value, Seen.Ask, At.Ask, true);
      case 0x41: // A
        return this.#quoted(bytes, value, Seen.AskSize, At.AskSize, false);
      case 0x54: // T
        return this.#whole(bytes, value, Seen.Time, At.Time);
      case 0x45: // E
        return this.#whole(bytes, value, Seen.EventTime, At.EventTime);
      case 0x75: // u
        return this.#whole(bytes, value, Seen.LastId, At.LastId);
      case 0x55: // U
        return this.#whole(bytes, value, Seen.FirstId, At.FirstId);
      case 0x74: // t
        return this.#whole(bytes, value, Seen.TradeId, At.TradeId);
      case 0x70: // p
        return this.#quoted(bytes, value, Seen.Price, At.Price, true);
      case 0x71: // q
        return this.#quoted(bytes, value, Seen.Size, At.Size, false);
      case 0x73: // s
        return this.#symbol(bytes, value);
      case 0x65: // e
        return this.#event(bytes, value);
      case 0x6d: // m
        return this.#maker(bytes, value);
      case 0x58: // X
        return this.#way(bytes, value);
      case 0x4d: // M
        return this.#found.add(value, skipScalar(bytes, value), Sort.Unused);
      default:
        return -1;
    }
  }

  #longMember(bytes: Uint8Array, at: number): number {
    const previous = literal(bytes, at, PREVIOUS_ID);
    if (previous >= 0) return this.#whole(bytes, previous, Seen.PreviousId, At.PreviousId);
    for (const key of USELESS) {
      const value = literal(bytes, at, key);
      if (value >= 0) return this.#found.add(value, skipScalar(bytes, value), Sort.Unused);
    }
    return -1;
  }

  #whole(bytes: Uint8Array, at: number, key: number, place: number): number {
    if (!this.#seen.isFirst(key)) return -1;
    return this.#found.add(at, wholeNumber(bytes, at, this.#numbers, place), place);
  }

  #quoted(bytes: Uint8Array, at: number, key: number, place: number, isPrice: boolean): number {
    const state = this.#state;
    if (state === undefined || bytes[at] !== QUOTE || !this.#seen.isFirst(key)) return -1;
    const { form } = state.scales;
    const end = decimal(bytes, at + 1, isPrice ? form.price : form.size, this.#numbers, place);
    this.#found.add(at + 1, end, place);
    return end >= 0 && bytes[end] === QUOTE ? end + 1 : -1;
  }

  #side(bytes: Uint8Array, at: number, key: number): number {
    if (this.#state === undefined || !this.#seen.isFirst(key)) return -1;
    const book = this.#levels;
    // The other side has begun the message if it is there already.
    if (!this.#seen.has(Seen.Bids | Seen.Asks)) book.begin(this.#state.scales);
    const levels = key === Seen.Bids ? book.bids : book.asks;
    const end = levels.quoted(bytes, at, book.form, 0);
    return this.#found.add(at, end, key === Seen.Bids ? Sort.Bids : Sort.Asks);
  }

  #symbol(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== QUOTE || !this.#seen.isFirst(Seen.Symbol)) return -1;
    const end = textEnd(bytes, at + 1);
    if (end < 0) return -1;
    this.#state = this.#symbols.find(bytes, at + 1, end);
    return this.#state === undefined ? -1 : end + 1;
  }

  #event(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== QUOTE || !this.#seen.isFirst(Seen.Event)) return -1;
    const end = textEnd(bytes, at + 1);
    if (literal(bytes, at + 1, BOOK_TICKER) === end) this.#kind = "quote";
    else if (literal(bytes, at + 1, TRADE) === end) this.#kind = "trade";
    else if (literal(bytes, at + 1, DEPTH_UPDATE) === end) this.#kind = "book";
    else return -1;
    return end < 0 ? -1 : end + 1;
  }

  #maker(bytes: Uint8Array, at: number): number {
    if (!this.#seen.isFirst(Seen.Maker)) return -1;
    return this.#found.add(at, this.#readMaker(bytes, at), Sort.Maker);
  }

  #readMaker(bytes: Uint8Array, at: number): number {
    const behindTrue = literal(bytes, at, TRUE);
    this.#isBuyerMaker = behindTrue >= 0;
    return this.#isBuyerMaker ? behindTrue : literal(bytes, at, FALSE);
  }

  #way(bytes: Uint8Array, at: number): number {
    if (!this.#seen.isFirst(Seen.Way)) return -1;
    return this.#found.add(at, this.#readWay(bytes, at), Sort.Way);
  }

  #readWay(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== QUOTE) return -1;
    const end = textEnd(bytes, at + 1);
    this.#isOfMarket = end >= 0 && literal(bytes, at + 1, MARKET) === end;
    return end < 0 ? -1 : end + 1;
  }

  /** Undefined if none of the two is there. */
  #timeUs(): number | undefined {
    if (this.#seen.has(Seen.Time)) return epochTimeUs(this.#numbers[At.Time]);
    return !this.#seen.has(Seen.EventTime) ? undefined : epochTimeUs(this.#numbers[At.EventTime]);
  }

  #quote(receivedTimeUs: number, emit: Emit, takeTick: TakeTick | undefined): boolean {
    const state = this.#state;
    if (state === undefined || !this.#seen.has(QUOTE_KEYS)) return false;
    const tick = this.#quoteTick;
    if (!beginTick(tick, state, receivedTimeUs, this.#timeUs())) return false;
    const from = this.#numbers;
    const to = tick.numbers;
    to[QuoteAt.Bid] = from[At.Bid]!;
    to[QuoteAt.BidSize] = from[At.BidSize]!;
    to[QuoteAt.Ask] = from[At.Ask]!;
    to[QuoteAt.AskSize] = from[At.AskSize]!;
    if (!isWholeQuote(tick)) return false;
    emitTick(tick, emit, takeTick);
    return true;
  }

  #trade(receivedTimeUs: number, emit: Emit, takeTick: TakeTick | undefined): boolean {
    const state = this.#state;
    if (state === undefined || !this.#seen.has(TRADE_KEYS)) return false;
    const tick = this.#tradeTick;
    const from = this.#numbers;
    const venueTimeUs = this.#seen.has(Seen.Time) ? epochTimeUs(from[At.Time]) : undefined;
    if (!beginTick(tick, state, receivedTimeUs, venueTimeUs)) return false;
    const to = tick.numbers;
    to[TradeAt.Price] = from[At.Price]!;
    to[TradeAt.Size] = from[At.Size]!;
    to[TradeAt.Id] = from[At.TradeId]!;
    tick.side = this.#aggressorSide();
    if (!isWholeTrade(tick)) return false;
    if ((state.tradeStream ??= "trade") === "trade") emitTick(tick, emit, takeTick);
    else heartbeat(emit);
    return true;
  }

  #aggressorSide(): AggressorSide {
    if (this.#seen.has(Seen.Way) && !this.#isOfMarket) return "none";
    return this.#isBuyerMaker ? "seller" : "buyer";
  }

  #book(receivedTimeUs: number, emit: Emit, takeTick: TakeTick | undefined): boolean {
    const state = this.#state;
    if (state === undefined || !this.#seen.has(BOOK_KEYS)) return false;
    const { scales } = state;
    if ((state.bookStream ?? "changes") !== "changes") {
      heartbeat(emit);
      return true;
    }
    const tick = this.#bookTick;
    const numbers = this.#numbers;
    const isByTime = this.#bookTime === "T" && this.#seen.has(Seen.Time);
    const isTimed = isByTime || this.#seen.has(Seen.EventTime);
    const time = numbers[isByTime ? At.Time : At.EventTime];
    const venueTimeUs = isTimed ? epochTimeUs(time) : undefined;
    if (Number.isNaN(venueTimeUs) || !this.#levels.fill(tick, scales)) return false;
    beginTick(tick, state, receivedTimeUs, venueTimeUs);
    state.bookStream = "changes";
    const hasPrevious = this.#seen.has(Seen.PreviousId);
    const to = tick.numbers;
    to[BookAt.FirstId] = numbers[At.FirstId]!;
    to[BookAt.LastId] = numbers[At.LastId]!;
    to[BookAt.PreviousId] = hasPrevious ? numbers[At.PreviousId]! : Number.NaN;
    emitTick(tick, emit, takeTick);
    return true;
  }
}

/** True for `btcusdt@depth20@100ms`, whose messages look like changes and are whole books. */
function isOfBestLevels(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at] !== AT) at += 1;
  const behind = literal(bytes, at, DEPTH);
  return behind < 0 || (behind < end && bytes[behind] !== AT);
}
