import { InvalidArgumentError } from "commander";

/** The longest time that an option may give: a year. */
const SECONDS_MAX = 31_536_000;

/** A whole number from 0. Throws commander's error, which names the option. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError("It must be a whole number.");
  }
  return count;
}

/** A number of seconds above 0. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= SECONDS_MAX)) {
    throw new InvalidArgumentError("It must be a number of seconds.");
  }
  return seconds;
}

/** Microseconds since 1970, given what the time is now. */
export type PastTime = (nowUs: number) => number;

/** A time like 2026-11-26T10:00:00Z, or so many seconds ago. */
export function parsePastTime(text: string): PastTime {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= SECONDS_MAX) {
    const agoUs = Math.round(Number(text) * 1e6);
    return (nowUs) => nowUs - agoUs;
  }
  const timeUs = Date.parse(text) * 1_000;
  if (!(timeUs > 0)) {
    throw new InvalidArgumentError("It must be a time (2026-11-26T10:00:00Z) or seconds ago.");
  }
  return () => timeUs;
}

/** Microseconds since 1970, given when the recording starts. */
export type RecordedTime = (startUs: number) => number;

/** A time like 2026-11-26T10:00:00Z, or so many seconds after the start of a recording. */
export function parseRecordedTime(text: string): RecordedTime {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const behindUs = Math.round(Number(text) * 1e6);
    return (startUs) => startUs + behindUs;
  }
  const timeUs = Date.parse(text) * 1_000;
  if (!(timeUs > 0)) {
    const forms = "a time (2026-11-26T10:00:00Z) or seconds from the start";
    throw new InvalidArgumentError(`It must be ${forms}.`);
  }
  return () => timeUs;
}

/** How many times real speed, or as fast as possible. */
export function parseSpeed(text: string): number | "max" {
  if (text === "max") return "max";
  const speed = Number(text);
  if (!(speed > 0 && speed <= 1_000_000)) {
    throw new InvalidArgumentError("It must be a number above 0, or max.");
  }
  return speed;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  kb: 1e3,
  kib: 2 ** 10,
  m: 1e6,
  mb: 1e6,
  mib: 2 ** 20,
  g: 1e9,
  gb: 1e9,
  gib: 2 ** 30,
  t: 1e12,
  tb: 1e12,
  tib: 2 ** 40,
};

/** A number of bytes, such as 500000, 64MiB or 2GB. */
export function parseBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(text.toLowerCase()) ?? [];
  const factor = Object.hasOwn(BYTE_UNITS, unit) ? BYTE_UNITS[unit] : undefined;
  const bytes = Math.round(Number(digits) * (factor ?? 0));
  if (digits === "" || !(bytes > 0 && Number.isSafeInteger(bytes))) {
    throw new InvalidArgumentError("It must be a number of bytes, such as 500000 or 64MiB.");
  }
  return bytes;
}
