import { formatDecimal, fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { DECIMAL_TEXT_LENGTH_MAX, SCALE_MAX } from "./limits.ts";
import { WireError } from "./wire-error.ts";

const INITIAL_VALUES = 1_024;

/** Scratch that one large batch has grown beyond this is given up afterwards. */
const RETAINED_VALUES_MAX = 65_536;

/** Magnitudes from here on travel as text. */
const MAGNITUDE_MAX = 2n ** 63n;

/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** A value that its column cannot hold. */
type EscapedValue = { readonly index: number; readonly text: string };

/**
 * Collects decimals of mixed scales and brings them to one. `values` holds the mantissas if all of
 * them are safe integers at that scale, which is nearly always; otherwise `exact` does. Reused from
 * batch to batch: what it holds is valid until the next `reset`.
 */
export class DecimalColumn {
  values = new Float64Array(INITIAL_VALUES);
  count = 0;
  /** Set by `settle`. */
  scale = 0;
  /** Set by `settle`, if some mantissa is not safe: undefined in it is a value in `escaped`. */
  exact: (bigint | undefined)[] | undefined;
  escaped: EscapedValue[] = [];
  readonly #allowNegative: boolean;
  #scales = new Uint16Array(INITIAL_VALUES);
  #large: Map<number, bigint> | undefined;
  #scaleMin = SCALE_MAX;
  #scaleMax = 0;

  constructor({ allowNegative }: { readonly allowNegative: boolean }) {
    this.#allowNegative = allowNegative;
  }

  /** Empties it and makes room for `capacity` values. */
  reset(capacity: number): void {
    this.count = 0;
    this.exact = undefined;
    this.#large = undefined;
    this.#scaleMin = SCALE_MAX;
    this.#scaleMax = 0;
    if (this.escaped.length > 0) this.escaped = [];
    if (capacity > this.values.length || this.values.length > RETAINED_VALUES_MAX) {
      const length = Math.max(capacity, INITIAL_VALUES);
      this.values = new Float64Array(length);
      this.#scales = new Uint16Array(length);
    }
  }

  /** `scale` is a whole number from 0 to SCALE_MAX; throws WireError if it is not. */
  add(mantissa: Mantissa, scale: number): void {
    if (scale >>> 0 !== scale || scale > SCALE_MAX) {
      throw new WireError("malformed", `scale ${scale} is not from 0 to ${SCALE_MAX}`);
    }
    const index = this.count;
    this.count = index + 1;
    this.#scales[index] = scale;
    if (scale < this.#scaleMin) this.#scaleMin = scale;
    if (scale > this.#scaleMax) this.#scaleMax = scale;
    if (typeof mantissa === "number" && (mantissa >= 0 || this.#allowNegative)) {
      this.values[index] = mantissa;
    } else {
      this.#addLarge(index, mantissa);
    }
  }

  #addLarge(index: number, mantissa: Mantissa): void {
    if (typeof mantissa !== "bigint" && !Number.isSafeInteger(mantissa)) {
      throw new WireError("unsafe-integer", `${String(mantissa)} is not a mantissa`);
    }
    this.values[index] = 0;
    this.#large ??= new Map();
    this.#large.set(index, BigInt(mantissa));
  }

  /** Decides the scale. Throws WireError if a number is not a safe integer. */
  settle(): void {
    const { values, count } = this;
    this.scale = this.#scaleMax;
    let isSafe = this.#large === undefined;
    for (let index = 0; index < count; index += 1) {
      if (!Number.isSafeInteger(values[index])) this.#refuse(index);
    }
    if (isSafe && this.#scaleMin < this.scale) isSafe = this.#rescale();
    if (!isSafe) this.#settleExactly();
  }

  /** Changes nothing and returns false if a value would not be a safe integer at the scale. */
  #rescale(): boolean {
    const { values, count } = this;
    for (let index = 0; index < count; index += 1) {
      if (!Number.isSafeInteger(this.#rescaled(index))) return false;
    }
    for (let index = 0; index < count; index += 1) values[index] = this.#rescaled(index);
    return true;
  }

  #rescaled(index: number): number {
    const value = this.values[index] as number;
    const power = POWERS_OF_TEN[this.scale - (this.#scales[index] as number)] ?? Infinity;
    return value === 0 ? 0 : value * power;
  }

  #settleExactly(): void {
    const mantissas: bigint[] = [];
    for (let index = 0; index < this.count; index += 1) {
      const large = this.#large?.get(index);
      mantissas.push(large ?? BigInt(this.values[index] as number));
    }
    this.scale = this.#scaleWithFewestEscapes(mantissas);
    this.exact = mantissas.map((mantissa, index) => {
      const value = this.#atScale(mantissa, index, this.scale);
      if (value === undefined) {
        this.escaped.push({ index, text: this.#text(mantissa, index) });
      }
      return value;
    });
  }

  /** The finest of the best. */
  #scaleWithFewestEscapes(mantissas: readonly bigint[]): number {
    const candidates = [...new Set(this.#scales.subarray(0, this.count))].sort((a, b) => b - a);
    let best = candidates[0] as number;
    let fewest = Infinity;
    for (const scale of candidates) {
      const escapes = mantissas.filter(
        (mantissa, index) => this.#atScale(mantissa, index, scale) === undefined,
      ).length;
      if (escapes < fewest) {
        fewest = escapes;
        best = scale;
      }
    }
    return best;
  }

  /** Undefined if the value does not fit a column at that scale. */
  #atScale(mantissa: bigint, index: number, scale: number): bigint | undefined {
    const ownScale = this.#scales[index] as number;
    if (mantissa === 0n) return 0n;
    if (ownScale > scale || (mantissa < 0n && !this.#allowNegative)) return undefined;
    const value = mantissa * 10n ** BigInt(scale - ownScale);
    return value < MAGNITUDE_MAX && value > -MAGNITUDE_MAX ? value : undefined;
  }

  #text(mantissa: bigint, index: number): string {
    const text = formatDecimal(fromBigInt(mantissa), this.#scales[index] as number);
    if (text.length > DECIMAL_TEXT_LENGTH_MAX) {
      const problem = `a decimal of ${text.length} characters exceeds ${DECIMAL_TEXT_LENGTH_MAX}`;
      throw new WireError("malformed", problem);
    }
    return text;
  }

  #refuse(index: number): never {
    throw new WireError("unsafe-integer", `${this.values[index]} is not a mantissa`);
  }
}
