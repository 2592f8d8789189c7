import type { BookChange, OrderBook, StatusRow } from "@tickwire/proto/model";
import { createOrderBook } from "#core/order-book.ts";
import type { Instrument, InstrumentState } from "#core/instrument.ts";
import { multiplyMantissa } from "./exact-sizes.ts";
import type { SizeFactor } from "./exact-sizes.ts";
import { isCrossed } from "./merged-quote.ts";
import type { QuoteColumns } from "./merged-quote.ts";
import { judgeSource } from "./source-verdict.ts";
import type { Verdict } from "./source-verdict.ts";

/** The channels that sources have a part in. */
export type SharedChannel = "quotes" | "book";

/** What one venue gives to a consolidated instrument, whether it is used or not. */
export class Source {
  /** Its place among the sources. */
  readonly index: number;
  /** Of the venue. */
  readonly instrument: Instrument;
  /** Its part, as an instrument of the consolidated venue. */
  readonly share: Instrument;
  readonly factor: SizeFactor;
  /** It has no quotes of its own: the best levels of its book stand for them. */
  readonly isBookOnly: boolean;
  /** The last quote; undefined while none is known. Sizes count the base asset. */
  quote: QuoteColumns | undefined;
  /** Sizes count the base asset. */
  readonly book: OrderBook = createOrderBook();
  isBookKnown = false;
  #marketState: InstrumentState | undefined;
  readonly #said = new Map<SharedChannel, Verdict>();
  readonly #verdicts = new Map<SharedChannel, Verdict>();

  constructor(options: {
    readonly index: number;
    readonly instrument: Instrument;
    readonly share: Instrument;
    readonly factor: SizeFactor;
    readonly isBookOnly?: boolean;
  }) {
    this.index = options.index;
    this.instrument = options.instrument;
    this.share = options.share;
    this.factor = options.factor;
    this.isBookOnly = options.isBookOnly ?? false;
    this.#marketState = options.instrument.state;
  }

  /** As it was last judged; undefined before that. */
  verdictOf(channel: SharedChannel): Verdict | undefined {
    return this.#verdicts.get(channel);
  }

  isUsed(channel: SharedChannel): boolean {
    return this.#verdicts.get(channel)?.state === "live";
  }

  /** What the venue's publisher says of a channel, or of the instrument. */
  takeStatus(row: StatusRow): void {
    const { channel, state, reason, instrumentState } = row;
    if (instrumentState !== undefined) this.#marketState = instrumentState;
    if (channel === "quotes" || channel === "book") this.#said.set(channel, { state, reason });
    if (channel === "book" && this.isBookOnly) this.#said.set("quotes", { state, reason });
  }

  /** Nothing of what was said of it holds any more. */
  loseStatus(): void {
    this.#said.clear();
  }

  /** The levels of the venue, with sizes that count the base asset. */
  convertBook(change: BookChange): BookChange {
    const { mantissa, scale } = this.factor;
    if (mantissa === 1n && scale === 0) return change;
    const converted = ({ prices, sizes }: BookChange["bids"]) => ({
      prices,
      sizes: Array.from(sizes, (size) => multiplyMantissa(size, mantissa)),
    });
    const { priceScale, sizeScale, bids, asks } = change;
    return {
      priceScale,
      sizeScale: sizeScale + scale,
      bids: converted(bids),
      asks: converted(asks),
    };
  }

  /** Judges a channel anew; true if the verdict is another one. */
  judge(channel: SharedChannel): boolean {
    const isQuotes = channel === "quotes";
    const verdict = judgeSource({
      said: this.#said.get(channel),
      marketState: this.#marketState,
      isKnown: isQuotes ? this.quote !== undefined : this.isBookKnown,
      isCrossed: isQuotes
        ? this.quote !== undefined && isCrossed(this.quote)
        : this.book.isCrossed(),
    });
    const before = this.#verdicts.get(channel);
    if (before?.state === verdict.state && before.reason === verdict.reason) return false;
    this.#verdicts.set(channel, verdict);
    return true;
  }
}
