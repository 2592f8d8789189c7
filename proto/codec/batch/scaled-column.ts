import { formatDecimal, fromBigInt } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { DECIMAL_TEXT_LENGTH_MAX, SCALE_MAX } from "../limits.ts";
import { WireError } from "../wire-error.ts";

const INITIAL_VALUES = 256;

/** Scratch that one large batch has grown beyond this is given up afterwards. */
const RETAINED_VALUES_MAX = 65_536;

/** Magnitudes from here on travel as text. */
const MAGNITUDE_MAX = 2n ** 63n;

/** A number that is finer than the scale by more digits than this may travel as text. */
const FINER_DIGITS_MAX = 3;

/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** What nothing has to travel as text comes to. */
export const NO_TEXTS: readonly PlacedText[] = [];

/** A decimal beside a batch's columns; `place` is what the schema calls its index. */
export type PlacedText = { readonly place: number; readonly text: string };

/**
 * Collects decimals of mixed scales and brings them to one that is given. `values` holds the
 * mantissas if all of them are safe integers at that scale, which is nearly always; otherwise
 * `exact` does. Reused from batch to batch: what it holds is valid until the next `reset`.
 */
export class ScaledColumn {
  values = new Float64Array(INITIAL_VALUES);
  count = 0;
  /**
   * Set by `settle` if some mantissa is not safe, which is then a bigint in it; undefined has to
   * travel as text.
   */
  exact: (Mantissa | undefined)[] | undefined;
  readonly #allowNegative: boolean;
  #scales = new Uint16Array(INITIAL_VALUES);
  #large: Map<number, bigint> | undefined;
  #scaleMin = SCALE_MAX;
  #scaleMax = 0;

  constructor({ allowNegative }: { readonly allowNegative: boolean }) {
    this.#allowNegative = allowNegative;
  }

  /** Empties it. */
  reset(): void {
    this.count = 0;
    this.exact = undefined;
    this.#large = undefined;
    this.#scaleMin = SCALE_MAX;
    this.#scaleMax = 0;
    if (this.values.length > RETAINED_VALUES_MAX) this.#resize(INITIAL_VALUES);
  }

  #resize(length: number): void {
    const values = new Float64Array(length);
    const scales = new Uint16Array(length);
    values.set(this.values.subarray(0, this.count));
    scales.set(this.#scales.subarray(0, this.count));
    this.values = values;
    this.#scales = scales;
  }

  /** Throws WireError (`unsafe-integer`, `malformed`) for what is no mantissa or no scale. */
  add(mantissa: Mantissa, scale: number): void {
    if (scale >>> 0 !== scale || scale > SCALE_MAX) {
      throw new WireError("malformed", `scale ${scale} is not from 0 to ${SCALE_MAX}`);
    }
    const index = this.count;
    if (index === this.values.length) this.#resize(2 * index);
    this.count = index + 1;
    this.#scales[index] = scale;
    if (scale < this.#scaleMin) this.#scaleMin = scale;
    if (scale > this.#scaleMax) this.#scaleMax = scale;
    if (typeof mantissa === "number" && (mantissa >= 0 || this.#allowNegative)) {
      if (!Number.isSafeInteger(mantissa)) refuse(mantissa);
      this.values[index] = mantissa;
    } else {
      this.#addLarge(index, mantissa);
    }
  }

  /** The same for many of one scale. */
  addAll(mantissas: readonly Mantissa[], scale: number): void {
    const first = this.count;
    const { length } = mantissas;
    if (length === 0) return;
    this.add(mantissas[0] as Mantissa, scale);
    const count = first + length;
    if (count > this.values.length) this.#resize(2 * count);
    const { values } = this;
    const scales = this.#scales;
    const min = this.#allowNegative ? -Number.MAX_SAFE_INTEGER : 0;
    for (let index = 1; index < length; index += 1) {
      const mantissa = mantissas[index] as Mantissa;
      scales[first + index] = scale;
      const isPlain = typeof mantissa === "number" && Number.isSafeInteger(mantissa);
      if (isPlain && mantissa >= min) values[first + index] = mantissa;
      else this.#addLarge(first + index, mantissa);
    }
    this.count = count;
  }

  #addLarge(index: number, mantissa: Mantissa): void {
    if (typeof mantissa !== "bigint" && !Number.isSafeInteger(mantissa)) refuse(mantissa);
    this.values[index] = 0;
    this.#large ??= new Map();
    this.#large.set(index, BigInt(mantissa));
  }

  /**
   * The scale that suits these numbers where `scale` was in use: the finest of all, or `scale`
   * itself if a single number is much finer and `mayText` says that it may travel as text.
   */
  wantedScale(scale: number, mayText: boolean): number {
    if (this.#scaleMax <= scale) return scale;
    if (!mayText || this.#scaleMax - scale <= FINER_DIGITS_MAX) return this.#scaleMax;
    let finer = 0;
    for (let index = 0; index < this.count; index += 1) {
      if ((this.#scales[index] as number) > scale) finer += 1;
    }
    return finer > 1 ? this.#scaleMax : scale;
  }

  /** Brings all numbers to `scale`. */
  settle(scale: number): void {
    if (this.#large === undefined && this.#scaleMin === scale && this.#scaleMax === scale) return;
    if (this.#large === undefined && this.#scaleMax <= scale && this.#rescale(scale)) return;
    const { count } = this;
    this.exact = Array.from({ length: count }, (_, index) => this.#atScale(index, scale));
  }

  /** Changes nothing and returns false if a value would not be a safe integer. */
  #rescale(scale: number): boolean {
    const { values, count } = this;
    for (let index = 0; index < count; index += 1) {
      if (!Number.isSafeInteger(this.#rescaled(index, scale))) return false;
    }
    for (let index = 0; index < count; index += 1) values[index] = this.#rescaled(index, scale);
    this.#scales.fill(scale, 0, count);
    return true;
  }

  #rescaled(index: number, scale: number): number {
    const value = this.values[index] as number;
    const power = POWERS_OF_TEN[scale - (this.#scales[index] as number)] ?? Infinity;
    return value === 0 ? 0 : value * power;
  }

  /** Undefined if the value does not fit at that scale. */
  #atScale(index: number, scale: number): Mantissa | undefined {
    const ownScale = this.#scales[index] as number;
    if (ownScale <= scale && this.#large?.has(index) !== true) {
      const rescaled = this.#rescaled(index, scale);
      if (Number.isSafeInteger(rescaled)) return rescaled;
    }
    const mantissa = this.#mantissa(index);
    if (mantissa === 0n) return 0;
    if (ownScale > scale || (mantissa < 0n && !this.#allowNegative)) return undefined;
    const value = mantissa * 10n ** BigInt(scale - ownScale);
    return value < MAGNITUDE_MAX && value >= -MAGNITUDE_MAX ? fromBigInt(value) : undefined;
  }

  #mantissa(index: number): bigint {
    return this.#large?.get(index) ?? BigInt(this.values[index] as number);
  }

  /** The value at the scale that was settled; undefined if it has to travel as text. */
  at(index: number): Mantissa | undefined {
    return this.exact === undefined ? (this.values[index] as number) : this.exact[index];
  }

  /** The value as exact text. Throws WireError if that is too long. */
  text(index: number): string {
    const mantissa = fromBigInt(this.#mantissa(index));
    const text = formatDecimal(mantissa, this.#scales[index] as number);
    if (text.length <= DECIMAL_TEXT_LENGTH_MAX) return text;
    const problem = `a decimal of ${text.length} characters exceeds ${DECIMAL_TEXT_LENGTH_MAX}`;
    throw new WireError("malformed", problem);
  }
}

function refuse(mantissa: Mantissa): never {
  throw new WireError("unsafe-integer", `${String(mantissa)} is not a mantissa`);
}

/** The same number at a finer scale; 0, where a chain may start too, if it does not fit 64 bits. */
export function rescaledPrice(mantissa: Mantissa, fromScale: number, toScale: number): Mantissa {
  if (fromScale === toScale) return mantissa;
  const value = BigInt(mantissa) * 10n ** BigInt(toScale - fromScale);
  return value < MAGNITUDE_MAX && value >= -MAGNITUDE_MAX ? fromBigInt(value) : 0;
}
