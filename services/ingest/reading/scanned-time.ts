import { NOT_SO } from "./frame-bytes.ts";
import { parseIsoTimeUs } from "./venue-time.ts";

const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** `2021-04-17` */
const DATE_LENGTH = 10;
/** Digits of a second's fraction in microseconds; further ones are cut off. */
const FRACTION_DIGITS_MAX = 6;

/**
 * Reads times such as `2021-04-17T16:43:30.244075Z`. Most of them are of the date before, which is
 * remembered.
 */
export class ScannedTime {
  readonly #date = new Uint8Array(DATE_LENGTH);
  /** When the date began, in microseconds since 1970; NaN while there is none. */
  #dateUs = Number.NaN;

  /** Behind the time, whose microseconds since 1970 are put into the column. */
  read(bytes: Uint8Array, start: number, column: Float64Array, index: number): number {
    if (start < 0 || start + DATE_LENGTH + 9 > bytes.length) return NOT_SO;
    if (!this.#isDate(bytes, start) && !this.#learnDate(bytes, start)) return NOT_SO;
    const clock = start + DATE_LENGTH;
    if (bytes[clock] !== LETTER_T) return NOT_SO;
    if (bytes[clock + 3] !== COLON || bytes[clock + 6] !== COLON) return NOT_SO;
    const hours = twoDigits(bytes, clock + 1);
    const minutes = twoDigits(bytes, clock + 4);
    const seconds = twoDigits(bytes, clock + 7);
    if (!(hours < 24 && minutes < 60 && seconds < 60)) return NOT_SO;
    let at = clock + 9;
    let fraction = 0;
    if (bytes[at] === POINT) {
      const first = at + 1;
      at = first;
      let digit = bytes[at]! - ZERO;
      while (digit >>> 0 < 10) {
        if (at - first < FRACTION_DIGITS_MAX) fraction = (fraction * 10 + digit) | 0;
        at += 1;
        digit = bytes[at]! - ZERO;
      }
      if (at === first) return NOT_SO;
      for (let digits = at - first; digits < FRACTION_DIGITS_MAX; digits += 1) fraction *= 10;
    }
    if (bytes[at] !== LETTER_Z) return NOT_SO;
    const clockSeconds = hours * 3_600 + minutes * 60 + seconds;
    column[index] = this.#dateUs + clockSeconds * 1_000_000 + fraction;
    return at + 1;
  }

  #isDate(bytes: Uint8Array, start: number): boolean {
    const date = this.#date;
    for (let index = DATE_LENGTH - 1; index >= 0; index -= 1) {
      if (date[index] !== bytes[start + index]) return false;
    }
    return true;
  }

  #learnDate(bytes: Uint8Array, start: number): boolean {
    const date = bytes.slice(start, start + DATE_LENGTH);
    const timeUs = parseIsoTimeUs(`${String.fromCharCode(...date)}T00:00:00Z`);
    // What such a time says is for the decoder to tell.
    if (!(timeUs !== undefined && timeUs > 0)) return false;
    this.#date.set(date);
    this.#dateUs = timeUs;
    return true;
  }
}

/** Of two digits; NaN or 100 and more if they are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >>> 0 < 10 && ones >>> 0 < 10 ? tens * 10 + ones : 100;
}
