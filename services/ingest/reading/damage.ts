import type { Channel, Instrument } from "#core/instrument.ts";
import { type Emit, reject, rejectOf } from "./emit.ts";

/**
 * Finds the text of a field in what is left of a damaged frame: the first one of that name whose
 * value is a whole string without escapes. `name` may be a pattern, such as `s|symbol`.
 */
export function fieldFinder(name: string): (text: string) => string | undefined {
  const pattern = new RegExp(`"(?:${name})"\\s*:\\s*"([^"\\\\]+)"`);
  return (text) => pattern.exec(text)?.[1];
}

/**
 * Counts a frame that is no JSON, for what it was about if that is known. False if it is not: then
 * whatever no number of the venue proves may have lost something, and is to be doubted.
 */
export function rejectDamaged(
  emit: Emit,
  instrument: Instrument | undefined,
  channel: Channel | undefined,
): boolean {
  if (instrument === undefined || channel === undefined) {
    reject(emit, "bad-json");
    return false;
  }
  rejectOf(emit, "bad-json", instrument, channel);
  return true;
}

/** Says that data of this channel may be missing, of each of these instruments. */
export function doubtEach(instruments: Iterable<Instrument>, channel: Channel, emit: Emit): void {
  for (const instrument of instruments) rejectOf(emit, "missing-data", instrument, channel);
}
