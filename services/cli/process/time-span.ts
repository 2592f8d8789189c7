import { quotedText } from "#core/visible-text.ts";
import { UsageError } from "./errors.ts";

const UNITS_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/** A date, or a time with its zone: `2027-01-31`, `2027-01-31T12:00:00Z`. */
const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Milliseconds of a span such as `90d`, `12h`, `15m` or `30s`; undefined if it is none. */
function spanMs(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,6})([dhms])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (UNITS_MS[unit] ?? 0);
}

/** The milliseconds of a span above 0. Throws `UsageError` for any other text. */
export function parseSpanMs(text: string): number {
  const ms = spanMs(text);
  if (ms === undefined) throw new UsageError(`${quotedText(text)} is no span; write 15m or 12h`);
  if (ms === 0) throw new UsageError(`${quotedText(text)} is over at once; write 15m or 12h`);
  return ms;
}

/** When something ends: a span from now, or a time to come. Throws `UsageError` for any other. */
export function parseEndMs(text: string, nowMs: number): number {
  const ms = spanMs(text);
  const endMs = ms === undefined ? dateMs(text) : nowMs + ms;
  if (endMs <= nowMs) throw new UsageError(`${quotedText(text)} is over already`);
  return endMs;
}

function dateMs(text: string): number {
  const ms = DATE.test(text) ? Date.parse(text) : Number.NaN;
  // What rolls over, such as the 30th of February, is another day than the one that was meant.
  const day = Number(text.slice(8, 10));
  if (Number.isNaN(ms) || new Date(Date.parse(text.slice(0, 10))).getUTCDate() !== day) {
    throw new UsageError(`${quotedText(text)} is no time; write 90d, or 2027-01-31T12:00:00Z`);
  }
  return ms;
}
