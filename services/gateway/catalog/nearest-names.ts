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
/** Instruments that are looked at for a common beginning. */
const EXAMINED_MAX = 5_000;
/** A shorter beginning is common to things that have nothing to do with each other. */
const BEGINNING_LENGTH_MIN = 2;
const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

/**
 * Tickwire's symbols at a venue that somebody may have meant, the likeliest first: the same in
 * another case, those that differ by one character, then those that begin alike. The work has a
 * bound (some 0.2 ms), however many instruments there are.
 */
export function nearestSymbols(names: NamedInstruments, venue: string, wanted: string): string[] {
  if (wanted.length > NAME_LENGTH_MAX) return [];
  const upper = wanted.toUpperCase();
  const found = new Set<string>();
  for (const candidate of slipsOf(upper)) {
    const symbol = names.find(venue, candidate)?.symbol;
    if (symbol !== undefined) found.add(symbol);
    if (found.size >= NEAREST_MAX) return [...found];
  }
  for (const symbol of alikeSymbols(names.instrumentsOf(venue), upper)) {
    found.add(symbol);
    if (found.size >= NEAREST_MAX) break;
  }
  return [...found];
}

/** What a name was before one slip: another case, a character too many, too few, swapped, wrong. */
function* slipsOf(upper: string): Iterable<string> {
  yield upper;
  yield upper.toLowerCase();
  for (let at = 0; at <= upper.length; at += 1) {
    const before = upper.slice(0, at);
    const after = upper.slice(at);
    const behind = after.slice(1);
    for (const character of CHARACTERS) yield before + character + after;
    if (after === "") continue;
    yield before + behind;
    if (behind !== "") yield before + behind.charAt(0) + after.charAt(0) + behind.slice(1);
    for (const character of CHARACTERS) yield before + character + behind;
  }
}

/**
 * The symbols that begin with the name, or with what stands before its first "-"; of a name without
 * a "-" also those whose base asset it begins with.
 */
function* alikeSymbols(instruments: Iterable<Instrument>, upper: string): Iterable<string> {
  const dash = upper.indexOf("-");
  const beginning = dash < 0 ? upper : upper.slice(0, dash + 1);
  if (beginning.length < BEGINNING_LENGTH_MIN) return;
  let examined = 0;
  for (const { symbol, base } of instruments) {
    const isOfBase = dash < 0 && base.length >= BEGINNING_LENGTH_MIN && upper.startsWith(base);
    if (symbol.startsWith(beginning) || isOfBase) yield symbol;
    examined += 1;
    if (examined >= EXAMINED_MAX) return;
  }
}
