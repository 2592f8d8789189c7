import { fromBigInt, type Mantissa } from "./mantissa.ts";

export { fromBigInt, type Mantissa };

/**
 * Longest decimal, written out plainly, that is accepted: "1e999999999" must not become a gigabyte.
 */
export const DECIMAL_DIGITS_MAX = 1_000;

const SAFE_MAX = Number.MAX_SAFE_INTEGER;
const ZERO = 48;
const MINUS = 45;
const POINT = 46;

/** Powers of ten that a double holds exactly. */
const POWERS: readonly number[] = Array.from({ length: 23 }, (_, exponent) =>
  Number(`1e${exponent}`),
);
const EXACT_POWER_MAX = 22;

/**
 * The mantissa of `text` at `scale`, exactly. NaN if the text is not a decimal
 * (`[-]digits[.digits]`, optionally with an exponent) or longer than DECIMAL_DIGITS_MAX; Infinity
 * if it has non-zero digits finer than `scale`. `scale` is a whole number from 0.
 */
export function parseMantissa(text: string, scale: number): Mantissa {
  const length = text.length;
  let index = text.charCodeAt(0) === MINUS ? 1 : 0;
  const first = index;
  let mantissa = 0;
  let digit = 0;
  while (index < length && (digit = text.charCodeAt(index) - ZERO) >= 0 && digit <= 9) {
    mantissa = mantissa * 10 + digit;
    index++;
  }
  if (index === first) return NaN;
  let padding = scale;
  if (index < length) {
    if (text.charCodeAt(index) !== POINT) return parseMantissaSlowly(text, scale);
    const fraction = ++index;
    while (index < length && (digit = text.charCodeAt(index) - ZERO) >= 0 && digit <= 9) {
      if (padding === 0) {
        // Digits beyond the scale must be zeros; the slow path also sees whether the rest is
        // well-formed.
        if (digit !== 0) return parseMantissaSlowly(text, scale);
      } else {
        mantissa = mantissa * 10 + digit;
        padding--;
      }
      index++;
    }
    if (index === fraction) return NaN;
    if (index < length) return parseMantissaSlowly(text, scale);
  }
  // Rounding is monotone: whatever went past 2^53 on the way is past it now, so this check is
  // enough.
  if (padding > EXACT_POWER_MAX) return parseMantissaSlowly(text, scale);
  if (padding > 0) mantissa *= POWERS[padding]!;
  if (mantissa > SAFE_MAX || length > DECIMAL_DIGITS_MAX) return parseMantissaSlowly(text, scale);
  return first === 1 && mantissa !== 0 ? -mantissa : mantissa;
}

/**
 * Digits after the point that matter: "1.500" has 1, "9.121E-7" has 10. 0 if the text is not a
 * decimal.
 */
export function decimalScale(text: string): number {
  let index = text.length - 1;
  let last = -1;
  for (; index >= 0; index--) {
    const code = text.charCodeAt(index);
    if (code === POINT) return last < 0 ? 0 : last - index;
    if (code > ZERO && code <= ZERO + 9) {
      if (last < 0) last = index;
    } else if (code !== ZERO) {
      return code === MINUS && index === 0 ? 0 : slowScale(text, true);
    }
  }
  return 0;
}

/**
 * Digits after the point as written: "1.500" has 3, "9.120E-7" has 10. 0 if the text is not a
 * decimal.
 */
export function textScale(text: string): number {
  for (let index = text.length - 1; index >= 0; index--) {
    const code = text.charCodeAt(index);
    if (code === POINT) return text.length - 1 - index;
    if (code < ZERO || code > ZERO + 9) {
      return code === MINUS && index === 0 ? 0 : slowScale(text, false);
    }
  }
  return 0;
}

/** Exact plain decimal text: no exponent, no trailing zeros after the point, "0" for zero. */
export function formatDecimal(mantissa: Mantissa, scale: number): string {
  if (mantissa === 0) return "0";
  const negative = mantissa < 0;
  const digits = negative ? String(-mantissa) : String(mantissa);
  return placePoint(negative, digits, scale);
}

/**
 * The text that `formatDecimal` gives for the value that `text` means; undefined if it is not a
 * decimal.
 */
export function canonicalDecimal(text: string): string | undefined {
  const end = canonicalEnd(text);
  if (end > 0) return end === text.length ? text : text.slice(0, end);
  const parts = splitDecimal(text);
  if (parts === undefined) return undefined;
  if (parts.digits === "0") return "0";
  return placePoint(parts.negative, parts.digits, parts.scale);
}

/**
 * Where zeros begin that say nothing, behind which there is nothing else, in most of the texts that
 * venues write. 0 says nothing about the text.
 */
function canonicalEnd(text: string): number {
  const { length } = text;
  if (length > DECIMAL_DIGITS_MAX) return 0;
  const first = text.charCodeAt(0) === MINUS ? 1 : 0;
  let index = first;
  while (index < length && isDigitAt(text, index)) index++;
  if (index === first) return 0;
  // Such as "007", and "-0.0", which is not far from "-0.5".
  if (text.charCodeAt(first) === ZERO && index > 1) return 0;
  let end = index;
  if (index < length) {
    if (text.charCodeAt(index++) !== POINT || index === length) return 0;
    while (index < length && isDigitAt(text, index)) {
      if (text.charCodeAt(index++) !== ZERO) end = index;
    }
  }
  return index < length ? 0 : end;
}

function isDigitAt(text: string, index: number): boolean {
  const digit = text.charCodeAt(index) - ZERO;
  return digit >= 0 && digit <= 9;
}

/**
 * The exact product of two decimals, as `formatDecimal` writes it; undefined if either is none or
 * the product is longer than DECIMAL_DIGITS_MAX.
 */
export function multiplyDecimals(a: string, b: string): string | undefined {
  const left = splitDecimal(a);
  const right = splitDecimal(b);
  if (left === undefined || right === undefined) return undefined;
  const digits = String(BigInt(left.digits) * BigInt(right.digits));
  if (digits === "0") return "0";
  const scale = left.scale + right.scale;
  if (Math.max(scale, digits.length - scale) > DECIMAL_DIGITS_MAX) return undefined;
  return placePoint(left.negative !== right.negative, digits, scale);
}

/** The double nearest to the value. */
export function toNumber(mantissa: Mantissa, scale: number): number {
  // One division of two exact doubles is correctly rounded; anything else goes through the text.
  if (typeof mantissa === "number" && scale <= EXACT_POWER_MAX) return mantissa / POWERS[scale]!;
  return Number(`${mantissa}e-${scale}`);
}

/** The same value at another scale; `toScale` must not be below `fromScale`. */
export function rescaleMantissa(mantissa: Mantissa, fromScale: number, toScale: number): Mantissa {
  const padding = toScale - fromScale;
  if (padding === 0) return mantissa;
  if (typeof mantissa === "number" && padding <= EXACT_POWER_MAX) {
    const product = mantissa * POWERS[padding]!;
    if (product <= SAFE_MAX && product >= -SAFE_MAX) return product;
  }
  return fromBigInt(BigInt(mantissa) * 10n ** BigInt(padding));
}

/**
 * Negative, 0 or positive as `a` is less than, equal to or greater than `b`; exact for mixed types.
 */
export function compareMantissa(a: Mantissa, b: Mantissa): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type DecimalParts = {
  readonly negative: boolean;
  /** Without leading zeros; "0" for zero. */
  readonly digits: string;
  /** May be negative: "1e3" is 1 at -3. */
  readonly scale: number;
};

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

function splitDecimal(text: string): DecimalParts | undefined {
  if (text.length > DECIMAL_DIGITS_MAX) return undefined;
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  const digits = ((match[2] ?? "") + fraction).replace(/^0+(?=\d)/, "");
  if (digits === "0") return { negative: false, digits, scale: 0 };
  const scale = fraction.length - Number(match[4] ?? 0);
  if (scale > DECIMAL_DIGITS_MAX || digits.length - scale > DECIMAL_DIGITS_MAX) return undefined;
  return { negative: match[1] === "-", digits, scale };
}

function parseMantissaSlowly(text: string, scale: number): Mantissa {
  const parts = splitDecimal(text);
  if (parts === undefined) return NaN;
  let digits = parts.digits;
  let padding = scale - parts.scale;
  if (padding < 0 && digits !== "0") {
    const kept = digits.length + padding;
    if (kept <= 0 || !/^0+$/.test(digits.slice(kept))) return Infinity;
    digits = digits.slice(0, kept);
    padding = 0;
  }
  const magnitude = BigInt(digits) * (padding > 0 ? 10n ** BigInt(padding) : 1n);
  return fromBigInt(parts.negative ? -magnitude : magnitude);
}

function slowScale(text: string, significant: boolean): number {
  const parts = splitDecimal(text);
  if (parts === undefined) return 0;
  const zeros = significant ? parts.digits.length - parts.digits.replace(/0+$/, "").length : 0;
  return Math.max(0, parts.scale - zeros);
}

/** `digits` without leading zeros and not "0"; a negative scale appends zeros. */
function placePoint(negative: boolean, digits: string, scale: number): string {
  const sign = negative ? "-" : "";
  if (scale <= 0) return sign + digits + "0".repeat(-scale);
  const whole = digits.length - scale;
  let end = digits.length;
  while (end > whole && end > 0 && digits.charCodeAt(end - 1) === ZERO) end--;
  if (whole <= 0) return `${sign}0.${"0".repeat(-whole)}${digits.slice(0, end)}`;
  return end === whole
    ? sign + digits.slice(0, whole)
    : `${sign}${digits.slice(0, whole)}.${digits.slice(whole, end)}`;
}
