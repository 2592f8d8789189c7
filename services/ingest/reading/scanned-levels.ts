import type { LevelColumns } from "#core/market-event.ts";
import type { BookTick } from "#core/market-tick.ts";
import type { BookColumns, ScaleTracker } from "./scale-tracker.ts";
import { SCANNED_SCALE_MAX, ScannedColumn } from "./scanned-column.ts";
import {
  type DecimalForm,
  FINER,
  type LevelForm,
  NOT_SO,
  decimal,
  literal,
  scientific,
  skipScalar,
  textEnd,
} from "./frame-bytes.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** What stands before the two numbers of a level: `{"price":` and `,"qty":`. */
type LevelNames = { readonly price: Uint8Array; readonly size: Uint8Array };

/** What stands before the numbers of a level, quotes and comma included. */
export type LevelWords = { readonly set: readonly Uint8Array[]; readonly gone: Uint8Array };

/**
 * The form in which both sides of a book message are scanned: that of the levels before, or a finer
 * one from the first level on that needs it.
 */
class GrowingForm implements LevelForm {
  price: DecimalForm;
  size: DecimalForm;

  constructor({ price, size }: LevelForm) {
    this.price = price;
    this.size = size;
  }

  /** Starts with a message. */
  begin({ price, size }: LevelForm): void {
    this.price = price;
    this.size = size;
  }
}

/** The same at another scale; undefined for one that is too fine. */
function finerForm({ scale, decimalsMax }: DecimalForm, needed: number): DecimalForm | undefined {
  if (needed > SCANNED_SCALE_MAX || needed <= scale) return undefined;
  return { scale: needed, decimalsMax: decimalsMax === scale ? needed : decimalsMax };
}

const NO_FORM: DecimalForm = { scale: 0, decimalsMax: 0 };

/** The levels of one side of a book message that is being scanned. Reused from frame to frame. */
export class ScannedLevels {
  readonly #prices = new ScannedColumn();
  readonly #sizes = new ScannedColumn();
  #count = 0;
  /** Those that the message began with: the columns are at their scales until one is finer. */
  #priceForm: DecimalForm = NO_FORM;
  #sizeForm: DecimalForm = NO_FORM;

  /** Forgets what was scanned, and scans in this form from now on. */
  begin({ price, size }: LevelForm): void {
    this.#count = 0;
    this.#priceForm = price;
    this.#sizeForm = size;
    this.#prices.begin(price.scale);
    this.#sizes.begin(size.scale);
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Behind an array of levels such as `["61800.20","0.535"]`: a pair of quoted decimals each, and
   * `more` further texts that nobody wants.
   */
  quoted(bytes: Uint8Array, start: number, form: GrowingForm, more: number): number {
    if (start < 0 || bytes[start] !== OPEN_BRACKET) return NOT_SO;
    let at = start + 1;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      if (bytes[at] !== OPEN_BRACKET) return NOT_SO;
      at = this.pair(bytes, at + 1, form);
      for (let left = more; left > 0 && at >= 0; left -= 1) at = skipText(bytes, at);
      if (at < 0 || bytes[at] !== CLOSE_BRACKET) return NOT_SO;
      at += 1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
      at += 1;
    }
  }

  /** Behind one level `"61800.20","0.535"`, whose price is above zero. */
  pair(bytes: Uint8Array, start: number, form: GrowingForm): number {
    if (bytes[start] !== QUOTE) return NOT_SO;
    const price = this.#price(bytes, start + 1, form);
    if (price < 0 || bytes[price] !== QUOTE || bytes[price + 1] !== COMMA) return NOT_SO;
    if (bytes[price + 2] !== QUOTE) return NOT_SO;
    const size = this.#size(bytes, price + 3, form);
    if (size < 0 || bytes[size] !== QUOTE) return NOT_SO;
    this.#count += 1;
    return size + 1;
  }

  /**
   * Behind an array of pairs of numbers such as `[9.121E-7,92730.24]`. Where a level begins with a
   * word for what becomes of it, that must fit its size.
   */
  bare(bytes: Uint8Array, start: number, form: GrowingForm, words?: LevelWords): number {
    if (start < 0 || bytes[start] !== OPEN_BRACKET) return NOT_SO;
    let at = start + 1;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      if (bytes[at] !== OPEN_BRACKET) return NOT_SO;
      at += 1;
      const gone = words === undefined ? NOT_SO : literal(bytes, at, words.gone);
      if (words !== undefined) at = gone < 0 ? behindAny(bytes, at, words.set) : gone;
      at = this.#anyPrice(bytes, at, form, scientific);
      if (at < 0 || bytes[at] !== COMMA) return NOT_SO;
      at = this.#anySize(bytes, at + 1, form, scientific);
      if (at < 0 || bytes[at] !== CLOSE_BRACKET) return NOT_SO;
      const isGone = this.#sizes.values[this.#count] === 0;
      if (words !== undefined && isGone !== gone >= 0) return NOT_SO;
      this.#count += 1;
      at += 1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
      at += 1;
    }
  }

  /** Behind an array of triples of numbers such as `[6859.5,3251,1]`, whose last nobody wants. */
  counted(bytes: Uint8Array, start: number, form: GrowingForm): number {
    if (start < 0 || bytes[start] !== OPEN_BRACKET) return NOT_SO;
    let at = start + 1;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      if (bytes[at] !== OPEN_BRACKET) return NOT_SO;
      at = this.#anyPrice(bytes, at + 1, form, scientific);
      if (at < 0 || bytes[at] !== COMMA) return NOT_SO;
      at = this.#anySize(bytes, at + 1, form, scientific);
      if (at < 0 || bytes[at] !== COMMA) return NOT_SO;
      at = skipScalar(bytes, at + 1);
      if (at < 0 || bytes[at] !== CLOSE_BRACKET) return NOT_SO;
      this.#count += 1;
      at += 1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
      at += 1;
    }
  }

  /** Behind an array of objects that hold the two bare decimals of a level under these names. */
  named(bytes: Uint8Array, start: number, form: GrowingForm, names: LevelNames): number {
    if (start < 0 || bytes[start] !== OPEN_BRACKET) return NOT_SO;
    let at = start + 1;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      at = this.#price(bytes, literal(bytes, at, names.price), form);
      at = this.#size(bytes, literal(bytes, at, names.size), form);
      if (at < 0 || bytes[at] !== CLOSE_BRACE) return NOT_SO;
      this.#count += 1;
      at += 1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
      at += 1;
    }
  }

  /**
   * Behind the price of the next level. Where there is room, and no level was finer than those
   * before, nothing else has to be asked.
   */
  #price(bytes: Uint8Array, at: number, form: GrowingForm): number {
    const { values } = this.#prices;
    const index = this.#count;
    if (index < values.length && form.price === this.#priceForm) {
      const end = decimal(bytes, at, form.price, values, index);
      if (end >= 0) return values[index] === 0 ? NOT_SO : end;
    }
    return this.#anyPrice(bytes, at, form, decimal);
  }

  /** Behind its size, in the same way. */
  #size(bytes: Uint8Array, at: number, form: GrowingForm): number {
    const { values } = this.#sizes;
    const index = this.#count;
    if (index < values.length && form.size === this.#sizeForm) {
      const end = decimal(bytes, at, form.size, values, index);
      if (end >= 0) return end;
    }
    return this.#anySize(bytes, at, form, decimal);
  }

  /** Behind the bare price of the next level, which `add` takes. */
  nextPrice(bytes: Uint8Array, at: number, form: GrowingForm): number {
    return this.#anyPrice(bytes, at, form, scientific);
  }

  /** Behind its bare size. */
  nextSize(bytes: Uint8Array, at: number, form: GrowingForm): number {
    return this.#anySize(bytes, at, form, scientific);
  }

  /** The next level is to be removed. */
  nextIsGone(form: GrowingForm): void {
    const index = this.#count;
    const column = this.#sizes;
    column.reserve(index + 1);
    column.rescale(form.size.scale, index);
    column.values[index] = 0;
  }

  /** Takes the level whose price and size were read. */
  add(): void {
    this.#count += 1;
  }

  /** Behind the price of the next level, which `read` reads. */
  #anyPrice(bytes: Uint8Array, at: number, form: GrowingForm, read: typeof decimal): number {
    const index = this.#count;
    const column = this.#prices;
    column.reserve(index + 1);
    column.rescale(form.price.scale, index);
    let end = read(bytes, at, form.price, column.values, index);
    if (end === NOT_SO) end = column.readLarge(bytes, at, form.price, index);
    if (end === FINER) {
      const finer = finerForm(form.price, column.values[index]!);
      if (finer === undefined) return NOT_SO;
      form.price = finer;
      column.rescale(finer.scale, index);
      end = read(bytes, at, finer, column.values, index);
      if (end === NOT_SO) end = column.readLarge(bytes, at, finer, index);
    }
    return end >= 0 && column.values[index] === 0 ? NOT_SO : end;
  }

  /** Behind its size. */
  #anySize(bytes: Uint8Array, at: number, form: GrowingForm, read: typeof decimal): number {
    const index = this.#count;
    const column = this.#sizes;
    column.reserve(index + 1);
    column.rescale(form.size.scale, index);
    let end = read(bytes, at, form.size, column.values, index);
    if (end === NOT_SO) end = column.readLarge(bytes, at, form.size, index);
    if (end !== FINER) return end;
    const finer = finerForm(form.size, column.values[index]!);
    if (finer === undefined) return NOT_SO;
    form.size = finer;
    column.rescale(finer.scale, index);
    end = read(bytes, at, finer, column.values, index);
    return end === NOT_SO ? column.readLarge(bytes, at, finer, index) : end;
  }

  get prices(): Float64Array {
    return this.#prices.values;
  }

  get sizes(): Float64Array {
    return this.#sizes.values;
  }

  /**
   * Brings all to the form that the message ended with. False if a double does not hold one of the
   * numbers.
   */
  settle(form: LevelForm): boolean {
    this.#prices.rescale(form.price.scale, this.#count);
    this.#sizes.rescale(form.size.scale, this.#count);
    return this.#prices.isOfDoubles && this.#sizes.isOfDoubles;
  }

  /**
   * Puts price and size of the first level into a column. False if there is no level, or if a
   * double does not hold one of them.
   */
  copyFirst(column: Float64Array, index: number): boolean {
    if (this.#count === 0) return false;
    const price = this.#prices.values[0]!;
    const size = this.#sizes.values[0]!;
    column[index] = price;
    column[index + 1] = size;
    return !Number.isNaN(price) && !Number.isNaN(size);
  }

  /** Copies of what was scanned, in its order, in the form that its message ended with. */
  take(form: LevelForm): LevelColumns {
    const count = this.#count;
    this.settle(form);
    if (count === 0) return NO_LEVELS;
    return { prices: this.#prices.list(count), sizes: this.#sizes.list(count) };
  }
}

const NO_LEVELS: LevelColumns = { prices: [], sizes: [] };

/** Behind the first of these that stands here. */
function behindAny(bytes: Uint8Array, at: number, expected: readonly Uint8Array[]): number {
  for (let index = 0; index < expected.length; index += 1) {
    const end = literal(bytes, at, expected[index]!);
    if (end >= 0) return end;
  }
  return NOT_SO;
}

/** Behind a comma and a text that nobody wants. */
function skipText(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== COMMA || bytes[at + 1] !== QUOTE) return NOT_SO;
  const end = textEnd(bytes, at + 2);
  return end < 0 ? NOT_SO : end + 1;
}

/**
 * Both sides of a book message that is being scanned, in one form. Whatever the message turns out
 * to be, the tracker learns of it only by `take`.
 */
export class ScannedBook {
  readonly bids = new ScannedLevels();
  readonly asks = new ScannedLevels();
  readonly form: GrowingForm;

  constructor() {
    this.form = new GrowingForm({ price: NO_FORM, size: NO_FORM });
  }

  /**
   * Starts with a message whose levels go on from the scales of a tracker, or of the book before it
   * that is scanned and not taken yet.
   */
  begin({ form }: { readonly form: LevelForm }): void {
    this.form.begin(form);
    this.bids.begin(form);
    this.asks.begin(form);
  }

  /**
   * Puts the levels of both sides into a tick, at the scales of the tracker, which are raised to
   * what they need. They are the tick's until the next message begins. False, with the tracker as
   * it was, if a double does not hold one of the numbers.
   */
  fill(tick: BookTick, scales: ScaleTracker): boolean {
    if (!this.bids.settle(this.form) || !this.asks.settle(this.form)) return false;
    scales.raise(this.form);
    tick.priceScale = scales.priceScale;
    tick.sizeScale = scales.sizeScale;
    tick.bids = this.bids;
    tick.asks = this.asks;
    return true;
  }

  /** The columns of both sides at the scales of the tracker, which are raised to what they need. */
  take(scales: ScaleTracker): BookColumns {
    const bids = this.bids.take(this.form);
    const asks = this.asks.take(this.form);
    scales.raise(this.form);
    return { bids, asks };
  }
}
