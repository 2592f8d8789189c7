import { decimalScale, parseMantissa, textScale, type Mantissa } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";
import { MISSING, type JsonTape } from "#core/json-tape.ts";
import type { LevelColumns } from "#core/market-event.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";
import { DECIMAL_PLACES_MAX, type LevelForm } from "./frame-bytes.ts";

/** Both sides of a book message at the tracker's scales of that moment. */
export type BookColumns = { readonly bids: LevelColumns; readonly asks: LevelColumns };

/**
 * Where price and size stand in a level of a book message: at an index of an array, or under a key
 * of an object.
 */
type LevelLayout =
  | { readonly price: number; readonly size: number }
  | { readonly price: string; readonly size: string };

/** A level that is an array beginning with price and size. */
const PRICE_SIZE_LEVELS: LevelLayout = { price: 0, size: 1 };

type MutableColumns = { readonly prices: Mantissa[]; readonly sizes: Mantissa[] };

type ScaleTrackerOptions = {
  /**
   * True counts zeros at the end of a text as digits of its scale, for venues whose written
   * precision means something (Kraken's checksums). False, the default, ignores them: Binance pads
   * everything to 8 digits.
   */
  readonly keepTrailingZeros?: boolean;
  /** The levels of a book may have prices of zero and below: see `hasSignedPrices`. */
  readonly signedPrices?: boolean;
};

/**
 * The decimal scales of one instrument, as its texts turn out to need them: they only grow, so
 * mantissas of one instrument stay comparable for long stretches. Nothing is ever rounded.
 */
export class ScaleTracker {
  readonly #scaleOf: (text: string) => number;
  readonly #keepTrailingZeros: boolean;
  readonly #signedPrices: boolean;
  #priceScale = 0;
  #sizeScale = 0;
  #form: LevelForm;

  constructor(options: ScaleTrackerOptions = {}) {
    this.#keepTrailingZeros = options.keepTrailingZeros ?? false;
    this.#signedPrices = options.signedPrices ?? false;
    this.#scaleOf = this.#keepTrailingZeros ? textScale : decimalScale;
    this.#form = this.#newForm();
  }

  /** The numbers that can be read without raising a scale. */
  get form(): LevelForm {
    return this.#form;
  }

  /** Takes over scales that a scanned book needed, which are not below these. */
  raise({ price, size }: LevelForm): void {
    if (price.scale === this.#priceScale && size.scale === this.#sizeScale) return;
    assert(price.scale >= this.#priceScale, "the scale of prices only grows");
    assert(size.scale >= this.#sizeScale, "the scale of sizes only grows");
    this.#priceScale = price.scale;
    this.#sizeScale = size.scale;
    this.#form = this.#newForm();
  }

  /** The scale that the next event's prices are given at. */
  get priceScale(): number {
    return this.#priceScale;
  }

  /** The scale that the next event's sizes are given at. */
  get sizeScale(): number {
    return this.#sizeScale;
  }

  /**
   * The price at `priceScale`, which grows first if the text needs it: parse all prices of an
   * event, read the scale, and if it changed in between parse again. NaN if the text is not a
   * decimal (or not a text).
   */
  price(text: unknown): Mantissa {
    const mantissa = this.#parse(text, this.#priceScale);
    if (mantissa !== GROW) return mantissa;
    const scale = this.#scaleOf(text as string);
    if (!(scale <= DECIMAL_PLACES_MAX)) return Number.NaN;
    this.#priceScale = scale;
    this.#form = this.#newForm();
    return parseMantissa(text as string, scale);
  }

  /** The same for sizes and `sizeScale`. */
  size(text: unknown): Mantissa {
    const mantissa = this.#parse(text, this.#sizeScale);
    if (mantissa !== GROW) return mantissa;
    const scale = this.#scaleOf(text as string);
    if (!(scale <= DECIMAL_PLACES_MAX)) return Number.NaN;
    this.#sizeScale = scale;
    this.#form = this.#newForm();
    return parseMantissa(text as string, scale);
  }

  /**
   * All levels of one book message at one pair of scales. A level is an array that begins with the
   * texts of its price and size; what follows is ignored. The columns belong to the caller. A
   * reason instead of columns if any level is damaged, because a message applied by half is a wrong
   * book.
   */
  book(bids: readonly unknown[], asks: readonly unknown[]): BookColumns | RejectReason {
    const priceScale = this.#priceScale;
    const sizeScale = this.#sizeScale;
    const first = this.#bothSides(bids, asks);
    const grew = priceScale !== this.#priceScale || sizeScale !== this.#sizeScale;
    // A level finer than those before it raised the scale in the middle of the message.
    return grew && typeof first !== "string" ? this.#bothSides(bids, asks) : first;
  }

  /** `price` for a node of a scanned frame: a number or a string. */
  priceAt(tape: JsonTape, node: number): Mantissa {
    const decimals = tape.decimals(node);
    if (decimals < 0 || decimals > this.#priceScale) return this.price(tape.text(node));
    return tape.mantissa(node, this.#priceScale);
  }

  /** `size` for a node of a scanned frame. */
  sizeAt(tape: JsonTape, node: number): Mantissa {
    const decimals = tape.decimals(node);
    if (decimals < 0 || decimals > this.#sizeScale) return this.size(tape.text(node));
    return tape.mantissa(node, this.#sizeScale);
  }

  /**
   * `book` for two arrays of a scanned frame. A side that is MISSING has no levels; one that is
   * something else than an array is a missing field.
   */
  bookFromTape(
    tape: JsonTape,
    sides: { readonly bids: number; readonly asks: number },
    layout: LevelLayout = PRICE_SIZE_LEVELS,
  ): BookColumns | RejectReason {
    const priceScale = this.#priceScale;
    const sizeScale = this.#sizeScale;
    const first = this.#bothTapeSides(tape, sides, layout);
    const grew = priceScale !== this.#priceScale || sizeScale !== this.#sizeScale;
    return grew && typeof first !== "string" ? this.#bothTapeSides(tape, sides, layout) : first;
  }

  #newForm(): LevelForm {
    const of = (scale: number) => {
      return { scale, decimalsMax: this.#keepTrailingZeros ? scale : DECIMAL_PLACES_MAX };
    };
    return { price: of(this.#priceScale), size: of(this.#sizeScale) };
  }

  #bothTapeSides(
    tape: JsonTape,
    { bids, asks }: { readonly bids: number; readonly asks: number },
    layout: LevelLayout,
  ): BookColumns | RejectReason {
    const bidColumns = this.#tapeSide(tape, bids, layout);
    if (typeof bidColumns === "string") return bidColumns;
    const askColumns = this.#tapeSide(tape, asks, layout);
    if (typeof askColumns === "string") return askColumns;
    return { bids: bidColumns, asks: askColumns };
  }

  #tapeSide(tape: JsonTape, side: number, layout: LevelLayout): MutableColumns | RejectReason {
    const prices: Mantissa[] = [];
    const sizes: Mantissa[] = [];
    if (side !== MISSING && !tape.isArray(side)) return "missing-field";
    for (let level = tape.first(side); level !== MISSING; level = tape.next(level)) {
      const price = this.priceAt(tape, tape.child(level, layout.price));
      const size = this.sizeAt(tape, tape.child(level, layout.size));
      if (isNotMantissa(price) || isNotMantissa(size)) {
        return tape.isContainer(level) ? "bad-decimal" : "missing-field";
      }
      if (price <= 0 && !this.#signedPrices) return "non-positive-price";
      if (size < 0) return "negative-size";
      prices.push(price);
      sizes.push(size);
    }
    return { prices, sizes };
  }

  #bothSides(bids: readonly unknown[], asks: readonly unknown[]): BookColumns | RejectReason {
    const bidColumns = this.#side(bids);
    if (typeof bidColumns === "string") return bidColumns;
    const askColumns = this.#side(asks);
    if (typeof askColumns === "string") return askColumns;
    return { bids: bidColumns, asks: askColumns };
  }

  #side(levels: readonly unknown[]): MutableColumns | RejectReason {
    const count = levels.length;
    const prices: Mantissa[] = [];
    const sizes: Mantissa[] = [];
    for (let index = 0; index < count; index += 1) {
      const level = levels[index];
      if (!Array.isArray(level)) return "missing-field";
      const price = this.price(level[0]);
      const size = this.size(level[1]);
      if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
      if (price <= 0 && !this.#signedPrices) return "non-positive-price";
      if (size < 0) return "negative-size";
      prices.push(price);
      sizes.push(size);
    }
    return { prices, sizes };
  }

  /** GROW if the text is a decimal that needs a larger scale. */
  #parse(text: unknown, scale: number): Mantissa {
    if (typeof text !== "string") return Number.NaN;
    if (this.#keepTrailingZeros && textScale(text) > scale) {
      // Anything that is not a decimal must not raise the scale.
      return isNotMantissa(parseMantissa(text, scale)) ? Number.NaN : GROW;
    }
    return parseMantissa(text, scale);
  }
}

/** What parseMantissa answers for a decimal that is finer than the scale it was given. */
const GROW = Number.POSITIVE_INFINITY;

/** True for the NaN that stands for "not a decimal". */
export function isNotMantissa(mantissa: Mantissa): boolean {
  // oxlint-disable-next-line no-self-compare -- NaN is the only value unequal to itself, and
  // bigints have none
  return mantissa !== mantissa;
}
