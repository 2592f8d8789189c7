import { escapeToken } from "./subject.ts";

/** The code of JetStream's answer about a stream that is not there. */
export const STREAM_NOT_FOUND = 10_059;

/**
 * The stream of a venue. It takes `md.v2.VENUE.>` from the subjects themselves, so that publishers
 * do nothing for it.
 */
export function streamNameOf(venue: string): string {
  return `TICKWIRE_${escapeToken(venue)}`;
}

/** A time like 2026-11-26T10:08:58.29140857Z, of which Date reads milliseconds. */
export function timeUsOf(timestamp: string): number {
  const ms = Date.parse(timestamp);
  const fraction = /\.(\d+)/.exec(timestamp)?.[1] ?? "";
  return ms * 1_000 + Number(fraction.padEnd(6, "0").slice(3, 6));
}
