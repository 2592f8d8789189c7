import { decimalScale } from "@tickwire/proto/model";

/** Digits that a decimal of 128 bits has. */
export const DECIMAL128_DIGITS = 38;

/** How large and how fine the numbers of a column are. */
export class DecimalRange {
  #scale = 0;
  #integerDigits = 1;

  /** Digits behind the point that the finest number needs. */
  get scale(): number {
    return this.#scale;
  }

  /** Whether every number fits a decimal of 128 bits at this scale, exactly. */
  get fits(): boolean {
    return this.#integerDigits + this.#scale <= DECIMAL128_DIGITS;
  }

  /** Takes the next number as plain decimal text. */
  add(text: string): void {
    const scale = decimalScale(text);
    if (scale > this.#scale) this.#scale = scale;
    const point = text.indexOf(".");
    const digits = (point === -1 ? text.length : point) - (text.startsWith("-") ? 1 : 0);
    if (digits > this.#integerDigits) this.#integerDigits = digits;
  }
}
