import { canonicalDecimal } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";

/** What `parseInstruments` of a feed adapter returns. */
export type InstrumentList = {
  readonly instruments: readonly Instrument[];
  readonly skipped: number;
  /**
   * Among those left out: what does not trade now, and may have ended or come back. Whoever knows
   * it already keeps it for a while.
   */
  readonly paused?: readonly Instrument[];
};

/**
 * Reads the entries of a venue's list. Left out and counted is what `toInstrument` cannot read,
 * what the venue's word says is paused, and of several that would have one symbol all but one; see
 * `settleClashes`.
 */
export function listInstruments(
  entries: readonly unknown[],
  toInstrument: (entry: unknown) => Instrument | undefined,
  pausedWords: ReadonlySet<string> = NO_WORDS,
): InstrumentList {
  const listed: Instrument[] = [];
  const paused: Instrument[] = [];
  for (const entry of entries) {
    const instrument = toInstrument(entry);
    if (instrument === undefined) continue;
    (pausedWords.has(instrument.stateWord ?? "") ? paused : listed).push(instrument);
  }
  const instruments = settleClashes(listed);
  const skipped = entries.length - instruments.length;
  return paused.length === 0 ? { instruments, skipped } : { instruments, skipped, paused };
}

/** The same list for another venue of the same exchange, which streams the same instruments. */
export function listOfVenue(
  list: InstrumentList | undefined,
  venue: string,
): InstrumentList | undefined {
  if (list === undefined) return undefined;
  const own = (instrument: Instrument): Instrument => ({ ...instrument, venue });
  const { instruments, skipped, paused } = list;
  const listed = { instruments: instruments.map(own), skipped };
  return paused === undefined ? listed : { ...listed, paused: paused.map(own) };
}

const NO_WORDS: ReadonlySet<string> = new Set();

/**
 * Of several instruments that would have one symbol one: whatever their order, that stays which the
 * venue calls as we do, else the one with the shortest name.
 */
export function settleClashes(instruments: Iterable<Instrument>): Instrument[] {
  const bySymbol = new Map<string, Instrument>();
  for (const instrument of instruments) {
    const known = bySymbol.get(instrument.symbol);
    if (known === undefined || isRather(instrument, known)) {
      bySymbol.set(instrument.symbol, instrument);
    }
  }
  return [...bySymbol.values()];
}

/** True for the one of two instruments that has more right to the symbol of both. */
function isRather(one: Instrument, other: Instrument): boolean {
  const oneIsNamed = isNamedByVenue(one);
  if (oneIsNamed !== isNamedByVenue(other)) return oneIsNamed;
  const [name, otherName] = [one.venueSymbol, other.venueSymbol];
  return name.length === otherName.length ? name < otherName : name.length < otherName.length;
}

function isNamedByVenue({ symbol, venueSymbol }: Instrument): boolean {
  const plain = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, "").toUpperCase();
  return plain(symbol) === plain(venueSymbol);
}

/** The steps of prices and sizes as they are listed. A step of zero says that there is none. */
export function incrementsOf(listed: {
  readonly price?: string | undefined;
  readonly size?: string | undefined;
}): Pick<Instrument, "priceIncrement" | "sizeIncrement"> {
  const priceIncrement = incrementOf(listed.price);
  const sizeIncrement = incrementOf(listed.size);
  return {
    ...(priceIncrement === undefined ? {} : { priceIncrement }),
    ...(sizeIncrement === undefined ? {} : { sizeIncrement }),
  };
}

function incrementOf(text = ""): string | undefined {
  const increment = canonicalDecimal(text);
  return increment === "0" ? undefined : increment;
}

/** A pair of assets, without what only a list knows of it. */
export function spotPair(
  venue: string,
  venueSymbol: string,
  { base, quote }: { readonly base: string; readonly quote: string },
): Instrument {
  return {
    venue,
    symbol: `${base}-${quote}`,
    venueSymbol,
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
  };
}
