import type { Instrument } from "@tickwire/proto/service";

/** What looking for names asks of the catalog. */
export type NamedInstruments = {
  /** By Tickwire's symbol or the venue's own. */
  find(venue: string, symbol: string): Instrument | undefined;
  instrumentsOf(venue: string): Iterable<Instrument>;
};

/** Names that are suggested for one that is unknown. */
const NEAREST_MAX = 3;
/** A longer name is no slip of the hand, and nothing is looked for. */
const NAME_LENGTH_MAX = 32;
/** Instruments that are looked at, in the order of the catalog. */
const EXAMINED_MAX = 5_000;
/** A shorter beginning is common to things that have nothing to do with each other. */
const BEGINNING_LENGTH_MIN = 2;

/**
 * Tickwire's symbols at a venue that somebody may have meant, the likeliest first: the same in
 * another case, those that differ by one slip of the hand, then those that begin alike. The work
 * has a bound (some 0.3 ms), however many instruments there are.
 */
export function nearestSymbols(names: NamedInstruments, venue: string, wanted: string): string[] {
  if (wanted.length > NAME_LENGTH_MAX) return [];
  const upper = wanted.toUpperCase();
  const found = new Set<string>();
  for (const text of [upper, wanted.toLowerCase()]) {
    const symbol = names.find(venue, text)?.symbol;
    if (symbol !== undefined) found.add(symbol);
  }
  const alike: string[] = [];
  const dash = upper.indexOf("-");
  const beginning = dash < 0 ? upper : upper.slice(0, dash + 1);
  let examined = 0;
  for (const { symbol, base } of names.instrumentsOf(venue)) {
    if (found.size >= NEAREST_MAX || examined >= EXAMINED_MAX) break;
    examined += 1;
    if (isOneSlip(symbol, upper)) found.add(symbol);
    else if (alike.length < NEAREST_MAX && beginning.length >= BEGINNING_LENGTH_MIN) {
      // A name without a "-" may be a base and a quote that is not there.
      const isOfBase = dash < 0 && base.length >= BEGINNING_LENGTH_MIN && upper.startsWith(base);
      if (symbol.startsWith(beginning) || isOfBase) alike.push(symbol);
    }
  }
  return [...new Set([...found, ...alike])].slice(0, NEAREST_MAX);
}

/** Whether they differ by one character too many, too few or wrong, or by two that are swapped. */
function isOneSlip(one: string, other: string): boolean {
  const shorter = Math.min(one.length, other.length);
  const longer = Math.max(one.length, other.length);
  if (longer - shorter > 1) return false;
  let head = 0;
  while (head < shorter && one.charCodeAt(head) === other.charCodeAt(head)) head += 1;
  let tail = 0;
  const [oneEnd, otherEnd] = [one.length - 1, other.length - 1];
  while (
    tail < shorter - head &&
    one.charCodeAt(oneEnd - tail) === other.charCodeAt(otherEnd - tail)
  ) {
    tail += 1;
  }
  const differing = longer - head - tail;
  if (differing <= 1) return true;
  const isSwapped =
    one.charCodeAt(head) === other.charCodeAt(head + 1) &&
    one.charCodeAt(head + 1) === other.charCodeAt(head);
  return differing === 2 && shorter === longer && isSwapped;
}
