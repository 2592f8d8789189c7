import { assert } from "#core/assert.ts";
import { countedId } from "#core/counted-id.ts";
import type { Trade } from "#core/market-event.ts";
import { TradeAt } from "#core/market-tick.ts";
import type { TradeTick } from "#core/market-tick.ts";
import type { KeptRows } from "./history-page.ts";
import { isPlain, TradePage } from "./trade-page.ts";
import type { NumberedTrade, TradeNumbers } from "./trade-page.ts";

/** Topics that have few trades have small pages. */
const PAGE_BYTES_MIN = 256;
const PAGE_BYTES_MAX = 2_048;

// What is written next: writing is synchronous and never re-entered.
const written: TradeNumbers = {
  sequence: 0,
  receivedTimeUs: 0,
  venueTimeUs: 0,
  price: 0,
  size: 0,
  priceScale: 0,
  sizeScale: 0,
  id: 0,
  idText: "",
  side: "none",
  historical: false,
};

/**
 * The last trades of one topic, oldest first, as bytes in a few pages: an object is made of a trade
 * when somebody asks. What a page cannot say (mantissas and times beyond 2^51, ids that are no
 * plain text) is kept as it came.
 */
export class RecentTrades implements KeptRows<NumberedTrade> {
  readonly #capacity: number;
  readonly #pages: TradePage[] = [];
  #count = 0;
  /** Trades that came before the oldest, all in all and of the first page. */
  #gone = 0;
  #goneOfPage = 0;
  /** By how many came before them, trades that no page can say. */
  #odd: Map<number, Trade> | undefined;
  #instrument: Trade["instrument"] | undefined;
  /** What was made of a page, until the next trade comes. */
  #read:
    | { readonly page: TradePage; readonly trades: readonly (NumberedTrade | undefined)[] }
    | undefined;

  constructor(options: { readonly capacity: number }) {
    const { capacity } = options;
    assert(Number.isSafeInteger(capacity) && capacity > 0, "there is room for at least one trade");
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#count;
  }

  /** Trades are of one instrument. */
  push(trade: Trade, sequence: number): void {
    const { priceMantissa, sizeMantissa, tradeId } = trade;
    written.receivedTimeUs = trade.receivedTimeUs;
    written.venueTimeUs = trade.venueTimeUs ?? Number.NaN;
    // NaN is nothing that a page can say.
    written.price = typeof priceMantissa === "number" ? priceMantissa : Number.NaN;
    written.size = typeof sizeMantissa === "number" ? sizeMantissa : Number.NaN;
    written.priceScale = trade.priceScale;
    written.sizeScale = trade.sizeScale;
    written.id = countedId(tradeId);
    written.idText = tradeId;
    written.side = trade.aggressorSide;
    written.historical = trade.historical;
    this.#put(trade, trade.instrument, sequence);
  }

  /** The same for one that is a tick. */
  pushTick(tick: TradeTick, sequence: number): void {
    const { numbers, idText } = tick;
    const id = numbers[TradeAt.Id]!;
    written.receivedTimeUs = numbers[TradeAt.Received]!;
    written.venueTimeUs = numbers[TradeAt.Venue]!;
    written.price = numbers[TradeAt.Price]!;
    written.size = numbers[TradeAt.Size]!;
    written.priceScale = tick.priceScale;
    written.sizeScale = tick.sizeScale;
    written.id = id >= 0 ? id : -1;
    written.idText = id >= 0 ? "" : idText;
    written.side = tick.side;
    written.historical = false;
    this.#put(tick, tick.instrument, sequence);
  }

  /** Puts what is written next behind the others; the oldest goes if there are too many then. */
  #put(trade: Trade | TradeTick, instrument: Trade["instrument"], sequence: number): void {
    this.#instrument ??= instrument;
    assert(this.#instrument === instrument, "the trades of a topic are of one instrument");
    this.#read = undefined;
    written.sequence = sequence;
    const isOfPage = isPlain(written);
    // A trade that is kept elsewhere takes less room than any other.
    if (!isOfPage) written.id = 0;
    let page = this.#pages.at(-1);
    if (page === undefined || !page.hasRoom(written)) {
      // Not by a shift, whose result for the 24th page would be below zero.
      const bytes = Math.min(PAGE_BYTES_MAX, PAGE_BYTES_MIN * 2 ** this.#pages.length);
      page = new TradePage(bytes);
      this.#pages.push(page);
    }
    if (isOfPage) page.add(written);
    else {
      page.addElsewhere(sequence);
      this.#odd ??= new Map();
      this.#odd.set(this.#gone + this.#count, "event" in trade ? trade.event() : trade);
    }
    this.#count += 1;
    if (this.#count > this.#capacity) this.#dropOldest();
  }

  #dropOldest(): void {
    this.#odd?.delete(this.#gone);
    this.#count -= 1;
    this.#gone += 1;
    this.#goneOfPage += 1;
    if (this.#goneOfPage < this.#pages[0]!.count) return;
    this.#pages.shift();
    this.#goneOfPage = 0;
  }

  /** From 0, the oldest, to below `length`. */
  at(index: number): NumberedTrade {
    assert(index >= 0 && index < this.#count, "what is asked for is kept");
    let place = this.#goneOfPage + index;
    let page: TradePage | undefined;
    for (page of this.#pages) {
      if (place < page.count) break;
      place -= page.count;
    }
    assert(page !== undefined, "trades that are kept have a page");
    const found = this.#tradesOf(page, this.#gone + index - place)[place];
    assert(found !== undefined, "the pages have as many trades as are kept");
    return found;
  }

  /** The trades of a page, before whose first so many came. */
  #tradesOf(page: TradePage, before: number): readonly (NumberedTrade | undefined)[] {
    if (this.#read?.page === page) return this.#read.trades;
    const instrument = this.#instrument;
    assert(instrument !== undefined, "a trade that is kept has an instrument");
    const trades = page.read(instrument, (place) => this.#odd?.get(before + place));
    this.#read = { page, trades };
    return trades;
  }
}
