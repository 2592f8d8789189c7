// https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval
// https://docs.deribit.com/subscriptions/market-data/tickerinstrument_nameinterval
import { hasSignedPrices } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import { type Emit, rejectOf, type TakeTick } from "../../reading/emit.ts";
import { bytesOf, literal, textEnd, wholeNumber } from "../../reading/frame-bytes.ts";
import type { BookChannelState } from "../../reading/instrument-states.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { LevelWords } from "../../reading/scanned-levels.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { BAD_DECIMAL } from "../../reading/text-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { type DeribitTickerTexts, readTicker } from "./readings.ts";

const HEAD = bytesOf('{"jsonrpc":"2.0","method":"subscription","params":{"channel":"');
const TICKER = bytesOf("ticker.");
const BOOK = bytesOf("book.");
const DATA = bytesOf('","data":');
const CHANGE = bytesOf('{"type":"change","timestamp":');
const PREVIOUS_ID = bytesOf(',"prev_change_id":');
const NAME = bytesOf(',"instrument_name":"');
const ID = bytesOf('","change_id":');
const BIDS = bytesOf(',"bids":');
const ASKS = bytesOf(',"asks":');
const BOOK_TAIL = bytesOf("}}}");
const TAIL = bytesOf("}}");

const WORDS: LevelWords = {
  set: ['"new",', '"change",'].map(bytesOf),
  gone: bytesOf('"delete",'),
};

const STATS = ["high", "low", "volume"];
const Stat = { High: 0, Low: 1, Volume: 2 } as const;

const TICKER_NAMES =
  "instrument_name timestamp stats last_price best_bid_price best_bid_amount best_ask_price " +
  "best_ask_amount current_funding mark_price index_price open_interest";
const Member = {
  Name: 0,
  Time: 1,
  Stats: 2,
  LastPrice: 3,
  BidPrice: 4,
  BidAmount: 5,
  AskPrice: 6,
  AskAmount: 7,
  FundingRate: 8,
  MarkPrice: 9,
  IndexPrice: 10,
  OpenInterest: 11,
} as const;

/** Where the name of a channel stands, and where its data begin. */
type ChannelRange = {
  readonly channel: number;
  readonly channelEnd: number;
  readonly data: number;
};

/** Reads tickers, and changes of books, in their bytes. */
export class DeribitScanner {
  readonly #symbols: SymbolTable<BookChannelState>;
  readonly #stats = new ScannedMembers(STATS);
  readonly #ticker = new ScannedMembers(TICKER_NAMES.split(" "), { stats: this.#stats });
  readonly #changed = new ScannedChange();
  readonly #time = new Float64Array(1);

  constructor(symbols: SymbolTable<BookChannelState>) {
    this.#symbols = symbols;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const channel = literal(bytes, 0, HEAD);
    if (channel < 0) return false;
    const channelEnd = textEnd(bytes, channel);
    const data = literal(bytes, channelEnd, DATA);
    if (data < 0) return false;
    if (literal(bytes, channel, TICKER) >= 0) return this.#read(bytes, data, receivedTimeUs, emit);
    if (literal(bytes, channel, BOOK) < 0) return false;
    return this.#change(bytes, { channel, channelEnd, data }, receivedTimeUs, emit, takeTick);
  }

  /** Reads a ticker, behind which the frame ends. */
  #read(bytes: Uint8Array, data: number, receivedTimeUs: number, emit: Emit): boolean {
    const members = this.#ticker;
    const end = members.read(bytes, data);
    if (literal(bytes, end, TAIL) !== bytes.length) return false;
    const name = members.startOf(Member.Name);
    const state = this.#symbols.find(bytes, name, members.endOf(Member.Name));
    const time = members.value(bytes, Member.Time);
    if (state === undefined || typeof time !== "string") return false;
    const { instrument } = state;
    const subject = { instrument, venueTimeUs: epochTimeUs(time), receivedTimeUs };
    const fault = readTicker(this.#texts(bytes), subject, emit);
    if (fault !== undefined) rejectOf(emit, fault, instrument, "ticker");
    return true;
  }

  #texts(bytes: Uint8Array): DeribitTickerTexts {
    const ticker = this.#ticker;
    const hasStats = ticker.startOf(Member.Stats) > 0;
    return {
      lastPrice: ticker.text(bytes, Member.LastPrice),
      highPrice: hasStats ? this.#stats.text(bytes, Stat.High) : undefined,
      lowPrice: hasStats ? this.#stats.text(bytes, Stat.Low) : undefined,
      volume: hasStats ? this.#stats.text(bytes, Stat.Volume) : undefined,
      bidPrice: ticker.text(bytes, Member.BidPrice),
      bidAmount: ticker.text(bytes, Member.BidAmount),
      askPrice: ticker.text(bytes, Member.AskPrice),
      askAmount: ticker.text(bytes, Member.AskAmount),
      fundingRate: this.#decimal(bytes, Member.FundingRate),
      markPrice: this.#decimal(bytes, Member.MarkPrice),
      indexPrice: this.#decimal(bytes, Member.IndexPrice),
      openInterest: this.#decimal(bytes, Member.OpenInterest),
    };
  }

  /** The text of what should be a decimal, if it is there. */
  #decimal(bytes: Uint8Array, member: number): string | undefined {
    const value = this.#ticker.value(bytes, member);
    return typeof value === "boolean" ? BAD_DECIMAL : (value ?? undefined);
  }

  /** Reads a change of a book, whose members come in one order. */
  #change(
    bytes: Uint8Array,
    { channel, channelEnd, data }: ChannelRange,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const time = this.#time;
    const { levels, numbers } = this.#changed;
    let at = wholeNumber(bytes, literal(bytes, data, CHANGE), time, 0);
    at = wholeNumber(bytes, literal(bytes, at, PREVIOUS_ID), numbers, BookAt.PreviousId);
    const name = literal(bytes, at, NAME);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const state = this.#symbols.find(bytes, name, nameEnd);
    const taken = state?.bookChannel;
    if (state === undefined || taken === undefined) return false;
    if (!isText(bytes, channel, channelEnd, taken)) return false;
    if (hasSignedPrices(state.instrument)) return false;
    const { bids, asks, form } = levels;
    levels.begin(state.scales);
    at = wholeNumber(bytes, literal(bytes, nameEnd, ID), numbers, BookAt.LastId);
    at = bids.bare(bytes, literal(bytes, at, BIDS), form, WORDS);
    at = asks.bare(bytes, literal(bytes, at, ASKS), form, WORDS);
    if (literal(bytes, at, BOOK_TAIL) !== bytes.length) return false;
    this.#changed.emit(state, epochTimeUs(time[0]), receivedTimeUs, emit, takeTick);
    return true;
  }
}

function isText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
