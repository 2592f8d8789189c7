import { epochTimeUs } from "../../../reading/venue-time.ts";

const CHECKSUM_MAX = 0xffff_ffff;

/** A checksum out of its digits: undefined if there is none, NaN if it is something else. */
export function checksumOf(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const checksum = typeof text === "string" && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return checksum <= CHECKSUM_MAX ? checksum : Number.NaN;
}

/** When the newest level changed; levels that come back into view keep their old time. */
export function latestTimeUs(
  bids: readonly unknown[],
  asks: readonly unknown[],
): number | undefined {
  let latest: number | undefined;
  for (const levels of [bids, asks]) {
    for (const level of levels) {
      const timeUs = epochTimeUs(elementOf(level, 2));
      if (timeUs === undefined) continue;
      if (!(latest !== undefined && latest >= timeUs)) latest = timeUs;
      if (Number.isNaN(timeUs)) return timeUs;
    }
  }
  return latest;
}

/** An element of an array; undefined if the value is none. */
export function elementOf(value: unknown, index: number): unknown {
  return Array.isArray(value) ? (value as readonly unknown[])[index] : undefined;
}
