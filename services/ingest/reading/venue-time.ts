/**
 * Where the venue's time is damaged; distinct from undefined, which is a venue that says nothing.
 */
export const BAD_TIME = Number.NaN;

const ZERO = 48;

/**
 * The microseconds since 1970 that an RFC 3339 text in UTC names, such as
 * `2021-04-17T16:43:30.244075Z`; digits below a microsecond are cut off. Undefined if there is no
 * text, or a time up to 1970: venues write the year 1 or the epoch where they have none. BAD_TIME
 * if it is something else.
 */
export function parseIsoTimeUs(text: unknown): number | undefined {
  if (text === undefined || text === null || text === "") return undefined;
  if (typeof text !== "string" || text.length < 20) return BAD_TIME;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  const hour = digitsAt(text, 11, 2);
  const minute = digitsAt(text, 14, 2);
  const second = digitsAt(text, 17, 2);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return BAD_TIME;
  if (!(hour <= 23 && minute <= 59 && second <= 59) || !hasSeparators(text)) return BAD_TIME;
  const microseconds = fractionOf(text);
  if (Number.isNaN(microseconds)) return BAD_TIME;
  if (year < 1970) return undefined;
  const timeUs = Date.UTC(year, month - 1, day, hour, minute, second) * 1000 + microseconds;
  return timeUs > 0 ? timeUs : undefined;
}

/**
 * The microseconds since 1970 that a count since then names, as a number or its text, with or
 * without a fraction. Seconds, milliseconds, microseconds and nanoseconds are told apart by
 * magnitude, because venues change them, and some write several; what is below a microsecond is cut
 * off. Undefined if there is none or it is zero, BAD_TIME if it is something else or a time that is
 * not between 1973 and 2255.
 */
export function epochTimeUs(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return epochTextTimeUs(value);
  if (typeof value !== "number") return BAD_TIME;
  if (!Number.isSafeInteger(value)) return epochTextTimeUs(String(value));
  if (value === 0) return undefined;
  if (value >= MICROSECONDS_MIN) return value;
  if (value >= MILLISECONDS_MIN) return known(value * 1000);
  return value >= SECONDS_MIN ? known(value * 1_000_000) : BAD_TIME;
}

const SECONDS_MIN = 1e8;
const MILLISECONDS_MIN = 1e11;
const MICROSECONDS_MIN = 1e14;

/** Most digits before the point of a time in each unit. The least of the next are one more. */
const SECONDS_DIGITS_MAX = 11;
const MILLISECONDS_DIGITS_MAX = 14;
const MICROSECONDS_DIGITS_MAX = 17;
const NANOSECONDS_DIGITS_MAX = 19;

function epochTextTimeUs(text: string): number | undefined {
  const point = text.indexOf(".");
  const length = point < 0 ? text.length : point;
  const fractionUs = point < 0 ? 0 : microsecondsAt(text, point + 1, text.length);
  if (length === 0 || length > NANOSECONDS_DIGITS_MAX || Number.isNaN(fractionUs)) return BAD_TIME;
  if (text[0] === "0") return length === 1 && fractionUs === 0 ? undefined : BAD_TIME;
  if (length > MICROSECONDS_DIGITS_MAX) {
    const isWhole = !Number.isNaN(digitsAt(text, length - 3, 3));
    return isWhole ? known(digitsAt(text, 0, length - 3)) : BAD_TIME;
  }
  const count = digitsAt(text, 0, length);
  if (length > MILLISECONDS_DIGITS_MAX) return known(count);
  if (length > SECONDS_DIGITS_MAX) return known(count * 1000 + Math.floor(fractionUs / 1000));
  return count >= SECONDS_MIN ? known(count * 1_000_000 + fractionUs) : BAD_TIME;
}

/** Beyond, a number no longer tells one microsecond from the next. */
function known(timeUs: number): number {
  return Number.isSafeInteger(timeUs) ? timeUs : BAD_TIME;
}

/** True for the time that could not be read. */
export function isBadTime(timeUs: number | undefined): boolean {
  return timeUs !== undefined && Number.isNaN(timeUs);
}

function hasSeparators(text: string): boolean {
  return (
    text[4] === "-" &&
    text[7] === "-" &&
    (text[10] === "T" || text[10] === " ") &&
    text[13] === ":" &&
    text[16] === ":"
  );
}

/** What follows the seconds: nothing or a fraction, then UTC. */
function fractionOf(text: string): number {
  const end = text.endsWith("Z")
    ? text.length - 1
    : text.endsWith("+00:00")
      ? text.length - 6
      : Number.NaN;
  if (end === 19) return 0;
  return text[19] === "." ? microsecondsAt(text, 20, end) : Number.NaN;
}

function microsecondsAt(text: string, start: number, end: number): number {
  if (!(end > start)) return Number.NaN;
  let microseconds = 0;
  let weight = 100_000;
  for (let index = start; index < end; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    if (weight >= 1) microseconds += digit * weight;
    weight /= 10;
  }
  return microseconds;
}

function digitsAt(text: string, start: number, count: number): number {
  let value = 0;
  for (let index = start; index < start + count; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
