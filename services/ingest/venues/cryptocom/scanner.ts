// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#book-instrument_name-depth
// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#trade-instrument_name
import { hasSignedPrices } from "#core/instrument.ts";
import type { Instrument } from "#core/instrument.ts";
import { BookAt, TradeAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  decimal,
  literal,
  NOT_SO,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import { ScannedTrades, setTradeId } from "../../reading/scanned-ticks.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

/** What the scanner must know of an instrument. */
export type ScannedCryptocom = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** The first message of its trades, which are old ones, has been. */
  hasTrades: boolean;
};

/** The venue offers 10 and 50 levels a side, and once had 150. */
export const LEVELS_MAX = 1000;

const HEAD = bytesOf('{"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"');
const SUBSCRIPTION = bytesOf('","subscription":"');
const UPDATE = bytesOf('","channel":"book.update","depth":');
const UPDATE_DATA = bytesOf(',"data":[{"update":{');
const ASKS = bytesOf('"asks":');
const BIDS = bytesOf('"bids":');
const THEN_ASKS = bytesOf(',"asks":');
const THEN_BIDS = bytesOf(',"bids":');
const TIME = bytesOf('},"t":');
const CHANGE_TIME = bytesOf(',"tt":');
const NUMBER = bytesOf(',"u":');
const PREVIOUS_NUMBER = bytesOf(',"pu":');
const CHECKSUM = bytesOf(',"cs":');
const UPDATE_TAIL = bytesOf("}]}}");

const TRADE = bytesOf('","channel":"trade","data":[');
const TRADE_TAIL = bytesOf("]}}");
const BUY = bytesOf('BUY"');
const SELL = bytesOf('SELL"');

/** How many orders a level has is the third of its texts. */
const USELESS_TEXTS = 1;

/** Places of numbers in the scanner's column; those of no use share one. */
const At = { Useless: 0, Depth: 1, Time: 2 } as const;

const TRADE_NAMES = "d t p q s";
const Member = { Id: 0, Time: 1, Price: 2, Quantity: 3, Side: 4 } as const;

/** Reads changes of books, and messages of one trade, in their bytes. */
export class CryptocomScanner {
  readonly #symbols: SymbolTable<ScannedCryptocom>;
  readonly #numbers = new Float64Array(3);
  readonly #book = new ScannedChange();
  readonly #members = new ScannedMembers(TRADE_NAMES.split(" "));
  readonly #trades = new ScannedTrades();

  constructor(symbols: SymbolTable<ScannedCryptocom>) {
    this.#symbols = symbols;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const name = literal(bytes, 0, HEAD);
    const nameEnd = textEnd(bytes, name);
    const topicEnd = textEnd(bytes, literal(bytes, nameEnd, SUBSCRIPTION));
    if (topicEnd < 0) return false;
    const state = this.#symbols.find(bytes, name, nameEnd);
    if (state === undefined || hasSignedPrices(state.instrument)) return false;
    const update = literal(bytes, topicEnd, UPDATE);
    if (update >= 0) return this.#change(bytes, update, state, receivedTimeUs, emit, takeTick);
    const trade = literal(bytes, topicEnd, TRADE);
    return trade >= 0 && this.#trade(bytes, trade, state, receivedTimeUs, emit, takeTick);
  }

  #change(
    bytes: Uint8Array,
    start: number,
    state: ScannedCryptocom,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const numbers = this.#numbers;
    const book = this.#book;
    book.levels.begin(state.scales);
    let at = literal(bytes, wholeNumber(bytes, start, numbers, At.Depth), UPDATE_DATA);
    at = this.#sides(bytes, at);
    at = wholeNumber(bytes, literal(bytes, at, TIME), numbers, At.Useless);
    at = wholeNumber(bytes, literal(bytes, at, CHANGE_TIME), numbers, At.Time);
    at = wholeNumber(bytes, literal(bytes, at, NUMBER), book.numbers, BookAt.LastId);
    at = wholeNumber(bytes, literal(bytes, at, PREVIOUS_NUMBER), book.numbers, BookAt.PreviousId);
    const checksum = literal(bytes, at, CHECKSUM);
    if (checksum >= 0) at = wholeNumber(bytes, checksum, numbers, At.Useless);
    const depth = numbers[At.Depth]!;
    if (literal(bytes, at, UPDATE_TAIL) !== bytes.length) return false;
    if (depth === 0 || depth > LEVELS_MAX) return false;
    book.depth = depth;
    book.emit(state, epochTimeUs(numbers[At.Time]), receivedTimeUs, emit, takeTick);
    return true;
  }

  /** Behind both sides, of which either comes first. */
  #sides(bytes: Uint8Array, start: number): number {
    const { bids, asks, form } = this.#book.levels;
    const asksFirst = literal(bytes, start, ASKS);
    if (asksFirst >= 0) {
      const end = asks.quoted(bytes, asksFirst, form, USELESS_TEXTS);
      return bids.quoted(bytes, literal(bytes, end, THEN_BIDS), form, USELESS_TEXTS);
    }
    const end = bids.quoted(bytes, literal(bytes, start, BIDS), form, USELESS_TEXTS);
    return asks.quoted(bytes, literal(bytes, end, THEN_ASKS), form, USELESS_TEXTS);
  }

  #trade(
    bytes: Uint8Array,
    start: number,
    state: ScannedCryptocom,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const members = this.#members;
    if (literal(bytes, members.read(bytes, start), TRADE_TAIL) !== bytes.length) return false;
    this.#trades.begin();
    const tick = this.#trades.next();
    if (tick === undefined || !state.hasTrades) return false;
    const { price, size } = state.scales.form;
    const { numbers } = tick;
    const priceAt = memberAt(members, Member.Price);
    const priceEnd = decimal(bytes, priceAt, price, numbers, TradeAt.Price);
    if (priceEnd !== members.endOf(Member.Price)) return false;
    const sizeAt = memberAt(members, Member.Quantity);
    const sizeEnd = decimal(bytes, sizeAt, size, numbers, TradeAt.Size);
    if (sizeEnd !== members.endOf(Member.Quantity)) return false;
    const time = memberAt(members, Member.Time);
    const timeEnd = wholeNumber(bytes, time, this.#numbers, At.Time);
    if (timeEnd !== members.endOf(Member.Time)) return false;
    const side = memberAt(members, Member.Side);
    const isBought = literal(bytes, side, BUY) >= 0;
    if (!isBought && literal(bytes, side, SELL) < 0) return false;
    tick.side = isBought ? "buyer" : "seller";
    const id = members.text(bytes, Member.Id);
    if (id === undefined || id === "") return false;
    setTradeId(tick, id);
    const venueTimeUs = epochTimeUs(this.#numbers[At.Time]);
    if (!this.#trades.add(state, receivedTimeUs, venueTimeUs)) return false;
    this.#trades.emit(emit, takeTick);
    return true;
  }
}

/** Where a member begins; negative for one that is not there. */
function memberAt(members: ScannedMembers, member: number): number {
  const start = members.startOf(member);
  return start === 0 ? NOT_SO : start;
}
