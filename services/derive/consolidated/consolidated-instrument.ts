import { compareMantissa, formatDecimal } from "@tickwire/proto/model";
import type { BookRow, QuoteRow } from "@tickwire/proto/codec";
import type { OrderBook, StatusRow, TradeRow } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";
import type { Instrument } from "#core/instrument.ts";
import type { MarketEvent, TopicState } from "#core/market-event.ts";
import { createOrderBook } from "#core/order-book.ts";
import type { StatusReason } from "#core/status-reason.ts";
import { addMantissa, subtractMantissa } from "./exact-sizes.ts";
import { MergedBook } from "./merged-book.ts";
import type { BookColumns } from "./merged-book.ts";
import { convertQuote, isCrossed, isSameQuote, MergedQuote, NO_QUOTE } from "./merged-quote.ts";
import type { QuoteColumns } from "./merged-quote.ts";
import { MergedTrades } from "./merged-trades.ts";
import type { SharedChannel } from "./source.ts";
import { Source } from "./source.ts";
import type { Verdict } from "./source-verdict.ts";

/** Sources of one consolidated instrument. */
export const SOURCES_MAX = 32;

type ConsolidatedInstrumentParts = {
  readonly instrument: Instrument;
  readonly channels: ReadonlySet<SharedChannel | "ticker">;
  /** Takes what is to be published, in order. */
  readonly emit: (event: MarketEvent) => void;
};

/** What is told of a channel as a whole. */
type Standing = { readonly state: TopicState; readonly reason: StatusReason };

/**
 * One asset over several venues: quotes, books and trades of its sources come in, and what they
 * amount to goes out, with the part of each beside it. It does no I/O and reads no clock.
 *
 * Invariants: what is told of a side is exactly the sum of what the sources that are used were told
 * to have; a source that is not used has no part in it, and a status that says why.
 */
export class ConsolidatedInstrument {
  readonly instrument: Instrument;
  readonly #parts: ConsolidatedInstrumentParts;
  readonly #sources: (Source | undefined)[] = Array.from({ length: SOURCES_MAX }, () => undefined);
  /** The same without the free places. */
  #list: readonly Source[] = [];
  readonly #quotes = new MergedQuote(SOURCES_MAX);
  readonly #book = new MergedBook(SOURCES_MAX);
  readonly #trades = new MergedTrades();
  /** The sum of the books, as it was last told. */
  readonly #total: OrderBook = createOrderBook();
  #isBookTold = false;
  #told: QuoteColumns = NO_QUOTE;
  readonly #standings = new Map<SharedChannel, Standing>();
  #ticker = "";

  constructor(parts: ConsolidatedInstrumentParts) {
    this.instrument = parts.instrument;
    this.#parts = parts;
  }

  /** Those that there are, used or not. */
  get sources(): readonly Source[] {
    return this.#list;
  }

  /** The book of the instrument or of a source's part, as it was last told. */
  liveBookOf(instrument: Instrument): OrderBook | undefined {
    if (instrument === this.instrument) return this.#isBookTold ? this.#total : undefined;
    const source = this.sources.find(({ share }) => share === instrument);
    return source?.isUsed("book") === true ? source.book : undefined;
  }

  /** Adds a source; undefined if there is no room for it. */
  add(options: Omit<ConstructorParameters<typeof Source>[0], "index">): Source | undefined {
    const index = this.#sources.indexOf(undefined);
    if (index < 0) return undefined;
    const source = new Source({ ...options, index });
    this.#sources[index] = source;
    this.#list = [...this.#list, source];
    return source;
  }

  /** The source is gone. */
  remove(source: Source, receivedTimeUs: number): void {
    assert(this.#sources[source.index] === source, "a source is removed once");
    source.quote = undefined;
    this.#loseBook(source);
    for (const channel of this.#shared()) this.#judge(source, channel, receivedTimeUs);
    this.#sources[source.index] = undefined;
    this.#list = this.#list.filter((each) => each !== source);
    for (const channel of this.#shared()) this.#tellStanding(channel, receivedTimeUs);
  }

  onQuote(source: Source, row: QuoteRow): void {
    const { priceScale, sizeScale } = row;
    const { bidPriceMantissa, bidSizeMantissa, askPriceMantissa, askSizeMantissa } = row;
    const prices = { priceScale, bidPriceMantissa, askPriceMantissa };
    const quote = { ...prices, sizeScale, bidSizeMantissa, askSizeMantissa };
    this.#takeQuote(source, convertQuote(quote, source.factor), row.receivedTimeUs);
  }

  /** A whole book, or a change of the one that is known. */
  onBook(source: Source, row: BookRow): void {
    const { receivedTimeUs } = row;
    if (!row.snapshot && !source.isBookKnown) return;
    const change = { ...source.convertBook(row), snapshot: row.snapshot };
    if (row.snapshot) source.book.applySnapshot(change);
    else source.book.applyDelta(change);
    source.isBookKnown = true;
    const wasUsed = source.isUsed("book");
    if (this.#judge(source, "book", receivedTimeUs)) return;
    if (!wasUsed) return;
    this.#tellShare(source, change, receivedTimeUs);
    this.#tellBook(
      this.#book.apply(source.index, change, { mantissa: 1n, scale: 0 }),
      receivedTimeUs,
    );
  }

  /** The quote of a source whose book is followed, and who has no quotes of its own. */
  onTopOfBook(source: Source, receivedTimeUs: number): void {
    const { book } = source;
    const [bid, ask] = [book.bestBid(), book.bestAsk()];
    const quote = source.isBookKnown
      ? {
          priceScale: book.priceScale,
          sizeScale: book.sizeScale,
          bidPriceMantissa: bid?.price ?? 0,
          bidSizeMantissa: bid?.size ?? 0,
          askPriceMantissa: ask?.price ?? 0,
          askSizeMantissa: ask?.size ?? 0,
        }
      : undefined;
    this.#takeQuote(source, quote, receivedTimeUs);
  }

  onTrade(source: Source, row: TradeRow): void {
    if (!row.historical) this.#trades.take(row, source.factor);
  }

  onStatus(source: Source, row: StatusRow): void {
    source.takeStatus(row);
    for (const channel of this.#shared()) this.#judge(source, channel, row.receivedTimeUs);
  }

  /** What came of a channel of a source is not all known. */
  onLoss(source: Source, channel: SharedChannel | "status", receivedTimeUs: number): void {
    if (channel === "status") source.loseStatus();
    if (channel === "quotes") source.quote = undefined;
    if (channel === "book") source.isBookKnown = false;
    for (const each of this.#shared()) this.#judge(source, each, receivedTimeUs);
  }

  /** Tells the ticker if it is another one; to be called about once a second. */
  second(nowUs: number): void {
    if (!this.#parts.channels.has("ticker")) return;
    const quote = this.#told;
    const hasBid = quote.bidSizeMantissa !== 0;
    const hasAsk = quote.askSizeMantissa !== 0;
    const price = (mantissa: number | bigint): string => formatDecimal(mantissa, quote.priceScale);
    const [bid, ask] = [quote.bidPriceMantissa, quote.askPriceMantissa];
    const values = {
      ...this.#trades.values(nowUs),
      openPrice: undefined,
      highPrice: undefined,
      lowPrice: undefined,
      bidPrice: hasBid ? price(bid) : undefined,
      askPrice: hasAsk ? price(ask) : undefined,
      // Half of a sum of integers is exact with one more digit.
      midPrice:
        hasBid && hasAsk
          ? formatDecimal(multiplyByFive(addMantissa(bid, ask)), quote.priceScale + 1)
          : undefined,
      spread: hasBid && hasAsk ? price(subtractMantissa(ask, bid)) : undefined,
    };
    const text = JSON.stringify(values);
    if (text === this.#ticker) return;
    this.#ticker = text;
    const { instrument, emit } = this.#parts;
    emit({ kind: "ticker", instrument, venueTimeUs: undefined, receivedTimeUs: nowUs, ...values });
  }

  #shared(): readonly SharedChannel[] {
    const { channels } = this.#parts;
    const isShared = (each: SharedChannel): boolean => channels.has(each);
    // A ticker has the best prices, so it needs the quotes.
    return (["quotes", "book"] as const).filter((each) => {
      return isShared(each) || (each === "quotes" && channels.has("ticker"));
    });
  }

  #takeQuote(source: Source, quote: QuoteColumns | undefined, receivedTimeUs: number): void {
    source.quote = quote;
    if (this.#judge(source, "quotes", receivedTimeUs)) return;
    if (!source.isUsed("quotes")) return;
    this.#quotes.set(source.index, source.quote);
    this.#tellShareQuote(source, receivedTimeUs);
    this.#tellQuote(receivedTimeUs);
  }

  #loseBook(source: Source): void {
    source.isBookKnown = false;
    source.book.clear();
  }

  /** Judges a source anew, and tells what follows; true if it did. */
  #judge(source: Source, channel: SharedChannel, receivedTimeUs: number): boolean {
    const wasUsed = source.isUsed(channel);
    if (!source.judge(channel)) return false;
    const isUsed = source.isUsed(channel);
    if (channel === "quotes") {
      this.#quotes.set(source.index, isUsed ? source.quote : undefined);
      if (isUsed !== wasUsed || isUsed) this.#tellShareQuote(source, receivedTimeUs);
      this.#tellQuote(receivedTimeUs);
    } else if (isUsed !== wasUsed) {
      this.#turnBook(source, isUsed, receivedTimeUs);
    }
    this.#tellVerdict(source, channel, receivedTimeUs);
    this.#tellStanding(channel, receivedTimeUs);
    return true;
  }

  /** The book of a source becomes a part of the sum, or is one no more. */
  #turnBook(source: Source, isUsed: boolean, receivedTimeUs: number): void {
    const { index, book } = source;
    const { priceScale, sizeScale } = book;
    const whole = { priceScale, sizeScale, bids: book.bids(), asks: book.asks() };
    const nothing = { priceScale, sizeScale, bids: NO_LEVELS, asks: NO_LEVELS };
    this.#tellShare(source, { ...(isUsed ? whole : nothing), snapshot: true }, receivedTimeUs);
    const changed = isUsed
      ? this.#book.apply(index, { ...whole, snapshot: true }, { mantissa: 1n, scale: 0 })
      : this.#book.clear(index);
    this.#tellBook(changed, receivedTimeUs);
  }

  #tellQuote(receivedTimeUs: number): void {
    const best = this.#quotes.best();
    if (isSameQuote(best, this.#told)) return;
    this.#told = best;
    const { instrument, emit, channels } = this.#parts;
    if (!channels.has("quotes")) return;
    emit({ kind: "quote", instrument, venueTimeUs: undefined, receivedTimeUs, ...best });
    this.#tellStanding("quotes", receivedTimeUs);
  }

  #tellShareQuote(source: Source, receivedTimeUs: number): void {
    const { emit, channels } = this.#parts;
    if (!channels.has("quotes")) return;
    const quote = source.isUsed("quotes") ? source.quote : undefined;
    const told = { venueTimeUs: undefined, receivedTimeUs, ...(quote ?? NO_QUOTE) };
    emit({ kind: "quote", instrument: source.share, ...told });
  }

  #tellShare(
    source: Source,
    change: BookColumns & { readonly snapshot: boolean },
    receivedTimeUs: number,
  ): void {
    const { priceScale, sizeScale, bids, asks, snapshot } = change;
    const levels = { priceScale, sizeScale, bids, asks, snapshot };
    const head = { kind: "book", instrument: source.share, venueTimeUs: undefined } as const;
    this.#parts.emit({ ...head, receivedTimeUs, ...levels });
  }

  #tellBook(change: BookColumns, receivedTimeUs: number): void {
    const { instrument, emit } = this.#parts;
    const snapshot = !this.#isBookTold;
    if (!snapshot && change.bids.prices.length === 0 && change.asks.prices.length === 0) return;
    if (snapshot) this.#total.applySnapshot(change);
    else this.#total.applyDelta(change);
    this.#isBookTold = true;
    const head = { kind: "book", instrument, venueTimeUs: undefined, receivedTimeUs } as const;
    // A whole book has its best levels first.
    const { bids, asks } = snapshot
      ? { bids: this.#total.bids(), asks: this.#total.asks() }
      : change;
    const { priceScale, sizeScale } = change;
    emit({ ...head, priceScale, sizeScale, bids, asks, snapshot });
    this.#tellStanding("book", receivedTimeUs);
  }

  #tellVerdict(source: Source, channel: SharedChannel, receivedTimeUs: number): void {
    const verdict = source.verdictOf(channel);
    if (verdict === undefined) return;
    this.#tellStatus(source.share, channel, verdict, receivedTimeUs);
  }

  /** What the channel is worth over all sources. */
  #tellStanding(channel: SharedChannel, receivedTimeUs: number): void {
    const { sources } = this;
    let used = 0;
    for (const source of sources) if (source.isUsed(channel)) used += 1;
    let standing: Standing;
    if (used === 0) standing = { state: "stale", reason: "no-source" };
    else if (this.#isCrossed(channel)) standing = { state: "live", reason: "crossed" };
    else if (used < sources.length) standing = { state: "live", reason: "sources-set-aside" };
    else standing = { state: "live", reason: "data" };
    const before = this.#standings.get(channel);
    if (before?.state === standing.state && before.reason === standing.reason) return;
    this.#standings.set(channel, standing);
    this.#tellStatus(this.instrument, channel, standing, receivedTimeUs);
  }

  #isCrossed(channel: SharedChannel): boolean {
    if (channel === "quotes") return isCrossed(this.#told);
    const [bid, ask] = [this.#total.bestBid(), this.#total.bestAsk()];
    if (bid === undefined || ask === undefined) return false;
    return compareMantissa(bid.price, ask.price) >= 0;
  }

  #tellStatus(
    instrument: Instrument,
    channel: SharedChannel,
    { state, reason }: Verdict,
    receivedTimeUs: number,
  ): void {
    if (!this.#parts.channels.has(channel)) return;
    const head = { kind: "status", instrument, venueTimeUs: undefined, receivedTimeUs } as const;
    this.#parts.emit({ ...head, channel, state, reason, sinceTimeUs: receivedTimeUs });
  }
}

const NO_LEVELS = { prices: [], sizes: [] };

function multiplyByFive(mantissa: number | bigint): number | bigint {
  const product = Number(mantissa) * 5;
  return Number.isSafeInteger(product) ? product : BigInt(mantissa) * 5n;
}
