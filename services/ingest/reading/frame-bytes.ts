// Reading a frame in its bytes. Each function begins at a position and answers where it goes on: a
// negative number if the bytes there are not exactly what it reads, which it then takes from
// whoever called before it as well. A frame is only scanned if it ends with a bracket or a brace
// (`FrameDecoder.scan` sees to it), so that no run of digits goes beyond it.
//
// What these functions accept, JSON accepts too; the other way round it is not so: what is written
// in an unusual way is left to whoever reads all of JSON.

import { Buffer } from "node:buffer";

/** The bytes are not what was expected. */
export const NOT_SO = -1;

/**
 * The decimal is finer than its form allows. In place of its mantissa the column has the scale that
 * it needs, and whoever can work at that scale reads it again; for others it is as NOT_SO.
 */
export const FINER = -2;

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const EXPONENT = 0x45;
const BACKSLASH = 0x5c;
const SMALL_EXPONENT = 0x65;
const SPACE = 0x20;
const NOT_ASCII = 0x80;

/** A form that allows so many decimals ignores zeros at their end. */
export const DECIMAL_PLACES_MAX = 64;

/** Digits whose value is below 2^31. */
const SMALL_DIGITS_MAX = 9;
/** Digits of a whole number that a double holds whatever they are. */
const WHOLE_DIGITS_MAX = 15;
const EXPONENT_DIGITS_MAX = 3;

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Longer texts would not be copied when they are put together, but kept as a chain. */
const SHORT_TEXT_MAX = 12;

/** The mantissas that `decimal` makes. */
export type DecimalForm = { readonly scale: number; readonly decimalsMax: number };

/** Those of the two numbers of a level, a trade, or a side of a quote. */
export type LevelForm = { readonly price: DecimalForm; readonly size: DecimalForm };

/** The bytes of a text of ASCII. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * The text of bytes of ASCII. Short ones, which most are, cost least if they are made of single
 * characters; a list of arguments takes four times as long as anything else.
 */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > SHORT_TEXT_MAX) return Buffer.prototype.latin1Slice.call(bytes, start, end);
  if (length <= 4) return fewCharacters(bytes, start, length);
  const middle = start + 4;
  const begin = fewCharacters(bytes, start, 4);
  if (length <= 8) return begin + fewCharacters(bytes, middle, length - 4);
  return begin + fewCharacters(bytes, middle, 4) + fewCharacters(bytes, middle + 4, length - 8);
}

/** Of four characters or less. */
function fewCharacters(bytes: Uint8Array, at: number, count: number): string {
  switch (count) {
    case 0:
      return "";
    case 1:
      return String.fromCharCode(bytes[at]!);
    case 2:
      return String.fromCharCode(bytes[at]!, bytes[at + 1]!);
    case 3:
      return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!);
    default:
      return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  }
}

/** Behind exactly these bytes. */
export function literal(bytes: Uint8Array, at: number, expected: Uint8Array): number {
  const { length } = expected;
  if (at < 0 || at + length > bytes.length) return NOT_SO;
  let index = 0;
  // Four at a time: most of a frame is compared here.
  for (const end = length - 3; index < end; index += 4) {
    const place = at + index;
    const difference =
      (bytes[place]! ^ expected[index]!) |
      (bytes[place + 1]! ^ expected[index + 1]!) |
      (bytes[place + 2]! ^ expected[index + 2]!) |
      (bytes[place + 3]! ^ expected[index + 3]!);
    if (difference !== 0) return NOT_SO;
  }
  for (; index < length; index += 1) {
    if (bytes[at + index] !== expected[index]) return NOT_SO;
  }
  return at + length;
}

/**
 * Behind a decimal such as `61800.20`, whose mantissa at `scale` is put into the column. It has no
 * sign, no exponent and no zeros before its first digit; of its decimals those beyond `scale` are
 * zeros, and there are no more of them than `decimalsMax`.
 */
export function decimal(
  bytes: Uint8Array,
  start: number,
  { scale, decimalsMax }: DecimalForm,
  column: Float64Array,
  index: number,
): number {
  if (start < 0) return NOT_SO;
  let at = start;
  let whole = 0;
  let digit = bytes[at]! - ZERO;
  while (digit >>> 0 < 10) {
    whole = (Math.imul(whole, 10) + digit) | 0;
    at += 1;
    digit = bytes[at]! - ZERO;
  }
  const digits = at - start;
  if (digits === 0 || digits > SMALL_DIGITS_MAX) return NOT_SO;
  if (digits > 1 && bytes[start] === ZERO) return NOT_SO;
  let mantissa = whole * POWERS_OF_TEN[scale]!;
  if (bytes[at] === POINT) {
    const first = at + 1;
    const small = first + Math.min(scale, SMALL_DIGITS_MAX);
    let fraction = 0;
    at = first;
    digit = bytes[at]! - ZERO;
    while (digit >>> 0 < 10 && at < small) {
      fraction = (Math.imul(fraction, 10) + digit) | 0;
      at += 1;
      digit = bytes[at]! - ZERO;
    }
    const part = fraction * POWERS_OF_TEN[scale - (at - first)]!;
    if (digit >>> 0 < 10) {
      const rest = fineDecimals(bytes, at, { first, scale }, column, index);
      if (rest < 0) return finer(bytes, first, decimalsMax, column, index);
      mantissa += column[index]!;
      at = rest;
    }
    mantissa += part;
    if (at === first) return NOT_SO;
    if (at - first > decimalsMax) {
      if (decimalsMax === DECIMAL_PLACES_MAX) return NOT_SO;
      return finer(bytes, first, decimalsMax, column, index);
    }
  }
  // Nor a scale that is not in the table.
  if (!(mantissa <= Number.MAX_SAFE_INTEGER)) return NOT_SO;
  column[index] = mantissa;
  return at;
}

/**
 * The same for a decimal that may have an exponent, as in `9.121E-7`, where zeros at the end do not
 * count.
 */
export function scientific(
  bytes: Uint8Array,
  start: number,
  form: DecimalForm,
  column: Float64Array,
  index: number,
): number {
  const plain = decimal(bytes, start, form, column, index);
  if (plain === NOT_SO) return NOT_SO;
  let end = plain;
  if (plain === FINER) {
    end = skipDigits(bytes, start);
    if (bytes[end] === POINT) end = skipDigits(bytes, end + 1);
  }
  const isPlain = bytes[end] !== EXPONENT && bytes[end] !== SMALL_EXPONENT;
  return isPlain ? plain : withExponent(bytes, start, form, column, index);
}

/** Behind digits that are those of a decimal, and an exponent. */
function withExponent(
  bytes: Uint8Array,
  start: number,
  { scale, decimalsMax }: DecimalForm,
  column: Float64Array,
  index: number,
): number {
  let at = start;
  let mantissa = 0;
  let decimals = 0;
  let isFraction = false;
  while (bytes[at] !== EXPONENT && bytes[at] !== SMALL_EXPONENT) {
    if (bytes[at] === POINT) isFraction = true;
    else {
      mantissa = mantissa * 10 + (bytes[at]! - ZERO);
      if (isFraction) decimals += 1;
    }
    at += 1;
  }
  at += 1;
  const isNegative = bytes[at] === MINUS;
  if (isNegative || bytes[at] === PLUS) at += 1;
  const end = skipDigits(bytes, at);
  if (end === at || end - at > EXPONENT_DIGITS_MAX) return NOT_SO;
  if (decimalsMax !== DECIMAL_PLACES_MAX || !(mantissa <= Number.MAX_SAFE_INTEGER)) return NOT_SO;
  let exponent = 0;
  for (; at < end; at += 1) exponent = exponent * 10 + (bytes[at]! - ZERO);
  decimals += isNegative ? exponent : -exponent;
  while (decimals > scale && mantissa !== 0 && mantissa % 10 === 0) {
    mantissa /= 10;
    decimals -= 1;
  }
  if (mantissa === 0) decimals = scale;
  if (decimals > scale) {
    column[index] = decimals;
    return FINER;
  }
  mantissa *= POWERS_OF_TEN[scale - decimals] ?? Number.NaN;
  if (!(mantissa <= Number.MAX_SAFE_INTEGER)) return NOT_SO;
  column[index] = mantissa;
  return end;
}

/** Says what the decimals from `first` on need: all of them where zeros count, too. */
function finer(
  bytes: Uint8Array,
  first: number,
  decimalsMax: number,
  column: Float64Array,
  index: number,
): number {
  let end = skipDigits(bytes, first);
  if (decimalsMax === DECIMAL_PLACES_MAX) while (bytes[end - 1] === ZERO) end -= 1;
  column[index] = end - first;
  return FINER;
}

/** What the decimals behind the ninth, or behind the scale, add to the mantissa. */
function fineDecimals(
  bytes: Uint8Array,
  start: number,
  { first, scale }: { readonly first: number; readonly scale: number },
  column: Float64Array,
  index: number,
): number {
  let at = start;
  let sum = 0;
  let digit = bytes[at]! - ZERO;
  while (digit >>> 0 < 10) {
    const missing = scale - (at - first) - 1;
    if (missing >= 0) sum += digit * POWERS_OF_TEN[missing]!;
    else if (digit !== 0) return NOT_SO;
    at += 1;
    digit = bytes[at]! - ZERO;
  }
  column[index] = sum;
  return at;
}

/** Behind a whole number of up to 15 digits, without sign or zeros before it. */
export function wholeNumber(
  bytes: Uint8Array,
  start: number,
  column: Float64Array,
  index: number,
): number {
  if (start < 0) return NOT_SO;
  let at = start;
  let high = 0;
  const small = start + SMALL_DIGITS_MAX;
  let digit = bytes[at]! - ZERO;
  while (digit >>> 0 < 10 && at < small) {
    high = (Math.imul(high, 10) + digit) | 0;
    at += 1;
    digit = bytes[at]! - ZERO;
  }
  if (at === start || (at - start > 1 && bytes[start] === ZERO)) return NOT_SO;
  if (digit >>> 0 >= 10) {
    column[index] = high;
    return at;
  }
  let low = 0;
  const middle = at;
  const large = start + WHOLE_DIGITS_MAX;
  while (digit >>> 0 < 10) {
    if (at === large) return NOT_SO;
    low = (Math.imul(low, 10) + digit) | 0;
    at += 1;
    digit = bytes[at]! - ZERO;
  }
  column[index] = high * POWERS_OF_TEN[at - middle]! + low;
  return at;
}

/**
 * Where the text that begins here ends: at its closing quote. It is of ASCII that is not escaped.
 */
export function textEnd(bytes: Uint8Array, start: number): number {
  if (start < 0) return NOT_SO;
  let at = start;
  for (;;) {
    const code = bytes[at];
    if (code === QUOTE) return at;
    if (code === undefined || code < SPACE || code >= NOT_ASCII || code === BACKSLASH) {
      return NOT_SO;
    }
    at += 1;
  }
}

const TRUE = bytesOf("true");
const FALSE = bytesOf("false");
const NULL = bytesOf("null");

/** Behind a value that nobody wants: a text, a number, a word. No array and no object. */
export function skipScalar(bytes: Uint8Array, at: number): number {
  if (at < 0) return NOT_SO;
  switch (bytes[at]!) {
    case QUOTE: {
      const end = textEnd(bytes, at + 1);
      return end < 0 ? NOT_SO : end + 1;
    }
    case 0x74:
      return literal(bytes, at, TRUE);
    case 0x66:
      return literal(bytes, at, FALSE);
    case 0x6e:
      return literal(bytes, at, NULL);
    case MINUS:
      return skipNumber(bytes, at + 1);
    default:
      return skipNumber(bytes, at);
  }
}

/** Behind digits, with or without a fraction and an exponent. */
function skipNumber(bytes: Uint8Array, start: number): number {
  let at = skipDigits(bytes, start);
  if (at === start || (at - start > 1 && bytes[start] === ZERO)) return NOT_SO;
  if (bytes[at] === POINT) {
    const first = at + 1;
    at = skipDigits(bytes, first);
    if (at === first) return NOT_SO;
  }
  return bytes[at] === SMALL_EXPONENT || bytes[at] === EXPONENT ? skipExponent(bytes, at + 1) : at;
}

function skipExponent(bytes: Uint8Array, start: number): number {
  const first = bytes[start] === MINUS || bytes[start] === PLUS ? start + 1 : start;
  const end = skipDigits(bytes, first);
  return end === first ? NOT_SO : end;
}

/** Behind as many digits as there are. */
export function skipDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && (bytes[at]! - ZERO) >>> 0 < 10) at += 1;
  return at;
}
