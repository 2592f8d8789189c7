import type { Mantissa } from "@tickwire/proto/model";
import { DECIMAL_PLACES_MAX, type DecimalForm, FINER, NOT_SO } from "./frame-bytes.ts";
import { ScannedDigits } from "./scanned-digits.ts";

const LEVELS_KEPT_MIN = 256;
/** Room that one long message took is given back with the next. */
const LEVELS_KEPT_MAX = 16_384;

/** Powers of ten that a double holds exactly; a finer scale is not scanned. */
export const SCANNED_SCALE_MAX = 22;

/** Mantissas that are brought to a finer scale as it turns up. */
export class ScannedColumn {
  values = new Float64Array(LEVELS_KEPT_MIN);
  /** Of the values. */
  #scale = 0;
  /** Those that a double does not hold, by their index; NaN stands in their place. */
  readonly #large = new Map<number, bigint>();
  readonly #digits = new ScannedDigits();

  /** Begins anew at this scale. */
  begin(scale: number): void {
    this.#scale = scale;
    if (this.#large.size > 0) this.#large.clear();
    if (this.values.length > LEVELS_KEPT_MAX) this.values = new Float64Array(LEVELS_KEPT_MIN);
  }

  /** Whether a double holds each of the values. */
  get isOfDoubles(): boolean {
    return this.#large.size === 0;
  }

  reserve(count: number): void {
    if (count <= this.values.length) return;
    const values = new Float64Array(2 * count);
    values.set(this.values);
    this.values = values;
  }

  /** Brings the first `count` values to a scale that is not below theirs. */
  rescale(scale: number, count: number): void {
    if (scale === this.#scale) return;
    const power = 10 ** (scale - this.#scale);
    for (let index = 0; index < count; index += 1) {
      const value = this.values[index]! * power;
      if (value <= Number.MAX_SAFE_INTEGER) this.values[index] = value;
      else this.#setLarge(index, this.#largeAt(index) * BigInt(power));
    }
    this.#scale = scale;
  }

  /**
   * Takes a decimal that is too large for a double, or for those who read plain bytes. Answers like
   * them.
   */
  readLarge(
    bytes: Uint8Array,
    start: number,
    { scale, decimalsMax }: DecimalForm,
    index: number,
  ): number {
    const digits = this.#digits;
    const end = digits.read(bytes, start);
    if (end < 0) return NOT_SO;
    if (decimalsMax === DECIMAL_PLACES_MAX) digits.shorten(scale);
    if (digits.decimals > scale) {
      this.values[index] = digits.decimals;
      return FINER;
    }
    const mantissa = digits.mantissaAt(scale);
    if (mantissa === undefined) return NOT_SO;
    if (typeof mantissa === "bigint") this.#setLarge(index, mantissa);
    else this.values[index] = mantissa;
    return end;
  }

  /** The first `count` values. */
  list(count: number): Mantissa[] {
    const list: Mantissa[] = listOf(this.values, count);
    for (const [index, mantissa] of this.#large) if (index < count) list[index] = mantissa;
    return list;
  }

  #setLarge(index: number, mantissa: bigint): void {
    this.values[index] = Number.NaN;
    this.#large.set(index, mantissa);
  }

  #largeAt(index: number): bigint {
    const value = this.values[index]!;
    return Number.isNaN(value) ? this.#large.get(index)! : BigInt(value);
  }
}

/** Lists are cut from it, because one that grows by itself takes room for more than it holds. */
const cut: number[] = Array.from({ length: LEVELS_KEPT_MIN }, () => 0.5);

/** The first `count` values. */
function listOf(values: Float64Array, count: number): number[] {
  if (count === 1) return [values[0]!];
  if (count > LEVELS_KEPT_MAX) return Array.from(values.subarray(0, count));
  while (cut.length < count) cut.push(0.5);
  for (let index = 0; index < count; index += 1) cut[index] = values[index]!;
  return cut.slice(0, count);
}
