import { fromBigInt, type Mantissa } from "@tickwire/proto/model";
import { NOT_SO } from "./frame-bytes.ts";

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const EXPONENT = 0x45;
const SMALL_EXPONENT = 0x65;

/** Digits that a double holds whatever they are. */
const HALF_DIGITS_MAX = 15;
const DIGITS_MAX = 2 * HALF_DIGITS_MAX;
const EXPONENT_DIGITS_MAX = 3;

const POWERS_OF_TEN = Array.from({ length: 2 * DIGITS_MAX }, (_, power) => 10n ** BigInt(power));

/**
 * The digits of one decimal of up to 30 of them, with or without an exponent, which need not fit
 * into a double.
 */
export class ScannedDigits {
  /** The first digits, and those behind them. */
  #high = 0;
  #low = 0;
  #count = 0;
  #decimals = 0;

  /** Digits behind the point, were it written without an exponent; below zero for `2e1`. */
  get decimals(): number {
    return this.#decimals;
  }

  /** Behind a decimal without sign, as JSON writes it. */
  read(bytes: Uint8Array, start: number): number {
    this.#high = 0;
    this.#low = 0;
    this.#count = 0;
    this.#decimals = 0;
    if (start < 0) return NOT_SO;
    const whole = this.#take(bytes, start);
    if (whole === start || (whole - start > 1 && bytes[start] === ZERO)) return NOT_SO;
    let at = whole;
    if (bytes[at] === POINT) {
      at = this.#take(bytes, whole + 1);
      this.#decimals = at - whole - 1;
      if (this.#decimals === 0) return NOT_SO;
    }
    if (this.#count > DIGITS_MAX) return NOT_SO;
    const hasExponent = bytes[at] === EXPONENT || bytes[at] === SMALL_EXPONENT;
    return hasExponent ? this.#exponent(bytes, at + 1) : at;
  }

  /** Leaves zeros at the end out, as long as there are more decimals than these. */
  shorten(decimalsMax: number): void {
    if (this.#high === 0 && this.#low === 0) this.#decimals = Math.min(this.#decimals, decimalsMax);
    while (this.#decimals > decimalsMax) {
      const isShort = this.#count <= HALF_DIGITS_MAX;
      const digits = isShort ? this.#high : this.#low;
      if (digits % 10 !== 0) return;
      if (isShort) this.#high = digits / 10;
      else this.#low = digits / 10;
      this.#count -= 1;
      this.#decimals -= 1;
    }
  }

  /** At a scale of no less than `decimals`. Undefined if it is far too large. */
  mantissaAt(scale: number): Mantissa | undefined {
    const padding = scale - this.#decimals;
    if (padding > DIGITS_MAX) return this.#high === 0 && this.#low === 0 ? 0 : undefined;
    const lowDigits = Math.max(0, this.#count - HALF_DIGITS_MAX);
    const high = BigInt(this.#high) * POWERS_OF_TEN[lowDigits + padding]!;
    return fromBigInt(high + BigInt(this.#low) * POWERS_OF_TEN[padding]!);
  }

  /** Behind as many digits as there are. */
  #take(bytes: Uint8Array, start: number): number {
    let at = start;
    let digit = bytes[at]! - ZERO;
    while (digit >>> 0 < 10 && at < bytes.length) {
      if (this.#count < HALF_DIGITS_MAX) this.#high = this.#high * 10 + digit;
      else if (this.#count < DIGITS_MAX) this.#low = this.#low * 10 + digit;
      this.#count += 1;
      at += 1;
      digit = bytes[at]! - ZERO;
    }
    return at;
  }

  #exponent(bytes: Uint8Array, start: number): number {
    const isNegative = bytes[start] === MINUS;
    const first = isNegative || bytes[start] === PLUS ? start + 1 : start;
    let at = first;
    let exponent = 0;
    let digit = bytes[at]! - ZERO;
    while (digit >>> 0 < 10 && at < bytes.length && at - first < EXPONENT_DIGITS_MAX) {
      exponent = exponent * 10 + digit;
      at += 1;
      digit = bytes[at]! - ZERO;
    }
    if (at === first || digit >>> 0 < 10) return NOT_SO;
    this.#decimals += isNegative ? exponent : -exponent;
    return at;
  }
}
