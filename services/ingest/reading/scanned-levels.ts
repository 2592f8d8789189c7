import type { LevelColumns } from "#core/market-event.ts";
import type { BookTick } from "#core/market-tick.ts";
import type { BookColumns, ScaleTracker } from "./scale-tracker.ts";
import {
  type DecimalForm,
  FINER,
  type LevelForm,
  NOT_SO,
  decimal,
  literal,
  textEnd,
} from "./frame-bytes.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

const LEVELS_KEPT_MIN = 256;
/** Room that one long message took is given back with the next. */
const LEVELS_KEPT_MAX = 16_384;

/** Powers of ten that a double holds exactly; a finer scale is not scanned. */
const SCALE_MAX = 22;

/** What stands before the two numbers of a level: `{"price":` and `,"qty":`. */
type LevelNames = { readonly price: Uint8Array; readonly size: Uint8Array };

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
  if (needed > SCALE_MAX || needed <= scale) return undefined;
  return { scale: needed, decimalsMax: decimalsMax === scale ? needed : decimalsMax };
}

/** Mantissas that are brought to a finer scale as it turns up. */
class ScannedColumn {
  values = new Float64Array(LEVELS_KEPT_MIN);
  /** Of the values. */
  #scale = 0;

  /** Begins anew at this scale. */
  begin(scale: number): void {
    this.#scale = scale;
    if (this.values.length > LEVELS_KEPT_MAX) this.values = new Float64Array(LEVELS_KEPT_MIN);
  }

  reserve(count: number): void {
    if (count <= this.values.length) return;
    const values = new Float64Array(2 * count);
    values.set(this.values);
    this.values = values;
  }

  /** False if one of the first `count` values is too large at that scale. */
  rescale(scale: number, count: number): boolean {
    if (scale === this.#scale) return true;
    const power = 10 ** (scale - this.#scale);
    for (let index = 0; index < count; index += 1) {
      const value = this.values[index]! * power;
      if (value > Number.MAX_SAFE_INTEGER) return false;
      this.values[index] = value;
    }
    this.#scale = scale;
    return true;
  }
}

/** The levels of one side of a book message that is being scanned. Reused from frame to frame. */
export class ScannedLevels {
  readonly #prices = new ScannedColumn();
  readonly #sizes = new ScannedColumn();
  #count = 0;

  /** Forgets what was scanned, and scans in this form from now on. */
  begin({ price, size }: LevelForm): void {
    this.#count = 0;
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

  /** Behind the price of the next level. */
  #price(bytes: Uint8Array, at: number, form: GrowingForm): number {
    const index = this.#count;
    const column = this.#prices;
    column.reserve(index + 1);
    if (!column.rescale(form.price.scale, index)) return NOT_SO;
    let end = decimal(bytes, at, form.price, column.values, index);
    if (end === FINER) {
      const finer = finerForm(form.price, column.values[index]!);
      if (finer === undefined || !column.rescale(finer.scale, index)) return NOT_SO;
      form.price = finer;
      end = decimal(bytes, at, finer, column.values, index);
    }
    return end >= 0 && column.values[index] === 0 ? NOT_SO : end;
  }

  /** Behind its size. */
  #size(bytes: Uint8Array, at: number, form: GrowingForm): number {
    const index = this.#count;
    const column = this.#sizes;
    column.reserve(index + 1);
    if (!column.rescale(form.size.scale, index)) return NOT_SO;
    const end = decimal(bytes, at, form.size, column.values, index);
    if (end !== FINER) return end;
    const finer = finerForm(form.size, column.values[index]!);
    if (finer === undefined || !column.rescale(finer.scale, index)) return NOT_SO;
    form.size = finer;
    return decimal(bytes, at, finer, column.values, index);
  }

  get prices(): Float64Array {
    return this.#prices.values;
  }

  get sizes(): Float64Array {
    return this.#sizes.values;
  }

  /** Brings all to the form that the message ended with. False if a number is too large for that. */
  settle(form: LevelForm): boolean {
    return (
      this.#prices.rescale(form.price.scale, this.#count) &&
      this.#sizes.rescale(form.size.scale, this.#count)
    );
  }

  /** Puts price and size of the first level into a column. False if there is no level. */
  copyFirst(column: Float64Array, index: number): boolean {
    if (this.#count === 0) return false;
    column[index] = this.#prices.values[0]!;
    column[index + 1] = this.#sizes.values[0]!;
    return true;
  }

  /**
   * Copies of what was scanned, in its order, in the form that its message ended with. Undefined if
   * a number is too large for that.
   */
  take(form: LevelForm): LevelColumns | undefined {
    const count = this.#count;
    if (!this.settle(form)) return undefined;
    if (count === 0) return NO_LEVELS;
    const prices = listOf(this.#prices.values, count);
    return { prices, sizes: listOf(this.#sizes.values, count) };
  }
}

const NO_LEVELS: LevelColumns = { prices: [], sizes: [] };

/** Lists are cut from it, because one that grows by itself takes room for more than it holds. */
const cut: number[] = Array.from({ length: LEVELS_KEPT_MIN }, () => 0.5);

/** The first `count` values, of which there is at least one. */
function listOf(values: Float64Array, count: number): number[] {
  if (count === 1) return [values[0]!];
  if (count > LEVELS_KEPT_MAX) return Array.from(values.subarray(0, count));
  while (cut.length < count) cut.push(0.5);
  for (let index = 0; index < count; index += 1) cut[index] = values[index]!;
  return cut.slice(0, count);
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
    const none = { scale: 0, decimalsMax: 0 };
    this.form = new GrowingForm({ price: none, size: none });
  }

  /** Starts with a message whose levels go on from the scales of a tracker. */
  begin({ form }: ScaleTracker): void {
    this.form.begin(form);
    this.bids.begin(form);
    this.asks.begin(form);
  }

  /**
   * Puts the levels of both sides into a tick, at the scales of the tracker, which are raised to
   * what they need. They are the tick's until the next message begins. False, with the tracker as
   * it was, if a number is too large.
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
  take(scales: ScaleTracker): BookColumns | undefined {
    const bids = this.bids.take(this.form);
    const asks = this.asks.take(this.form);
    if (bids === undefined || asks === undefined) return undefined;
    scales.raise(this.form);
    return { bids, asks };
  }
}
