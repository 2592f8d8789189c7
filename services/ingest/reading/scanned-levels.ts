import type { LevelColumns } from "#core/market-event.ts";
import { type DecimalForm, NOT_SO, decimal, textEnd } from "./frame-bytes.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const LEVELS_KEPT_MIN = 256;
/** Room that one long message took is given back with the next. */
const LEVELS_KEPT_MAX = 16_384;

/** The mantissas of the two numbers of a level. */
export type LevelForm = { readonly price: DecimalForm; readonly size: DecimalForm };

/** The levels of one side of a book message that is being scanned. Reused from frame to frame. */
export class ScannedLevels {
  #prices = new Float64Array(LEVELS_KEPT_MIN);
  #sizes = new Float64Array(LEVELS_KEPT_MIN);
  #count = 0;

  /** Forgets what was scanned. */
  reset(): void {
    this.#count = 0;
    if (this.#prices.length > LEVELS_KEPT_MAX) this.#resize(LEVELS_KEPT_MIN);
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Behind an array of levels such as `["61800.20","0.535"]`: two quoted decimals, of which the
   * price is above zero, and `more` further texts that nobody wants.
   */
  quoted(bytes: Uint8Array, start: number, form: LevelForm, more: number): number {
    if (start < 0 || bytes[start] !== OPEN_BRACKET) return NOT_SO;
    let at = start + 1;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      if (bytes[at] !== OPEN_BRACKET || bytes[at + 1] !== QUOTE) return NOT_SO;
      if (this.#count === this.#prices.length) this.#resize(2 * this.#count);
      at = decimal(bytes, at + 2, form.price, this.#prices, this.#count);
      if (at < 0 || bytes[at] !== QUOTE || bytes[at + 1] !== COMMA) return NOT_SO;
      if (bytes[at + 2] !== QUOTE) return NOT_SO;
      at = decimal(bytes, at + 3, form.size, this.#sizes, this.#count);
      if (at < 0 || bytes[at] !== QUOTE || this.#prices[this.#count] === 0) return NOT_SO;
      at += 1;
      for (let left = more; left > 0; left -= 1) {
        if (bytes[at] !== COMMA || bytes[at + 1] !== QUOTE) return NOT_SO;
        at = textEnd(bytes, at + 2) + 1;
        if (at <= 0) return NOT_SO;
      }
      if (bytes[at] !== CLOSE_BRACKET) return NOT_SO;
      this.#count += 1;
      at += 1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
      at += 1;
    }
  }

  /** Copies of what was scanned, in its order. */
  take(): LevelColumns {
    const count = this.#count;
    const prices: number[] = [];
    const sizes: number[] = [];
    for (let index = 0; index < count; index += 1) {
      prices.push(this.#prices[index]!);
      sizes.push(this.#sizes[index]!);
    }
    return { prices, sizes };
  }

  #resize(length: number): void {
    const kept = Math.min(this.#count, length);
    const prices = new Float64Array(length);
    const sizes = new Float64Array(length);
    prices.set(this.#prices.subarray(0, kept));
    sizes.set(this.#sizes.subarray(0, kept));
    this.#prices = prices;
    this.#sizes = sizes;
  }
}
