import { canonicalDecimal } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";

/** What `parseInstruments` of a feed adapter returns. */
export type InstrumentList = {
  readonly instruments: readonly Instrument[];
  readonly skipped: number;
};

/**
 * Reads the entries of a venue's list. Left out and counted is what `toInstrument` cannot read, and
 * what has the symbol of an entry before it.
 */
export function listInstruments(
  entries: readonly unknown[],
  toInstrument: (entry: unknown) => Instrument | undefined,
): InstrumentList {
  const bySymbol = new Map<string, Instrument>();
  for (const entry of entries) {
    const instrument = toInstrument(entry);
    if (instrument === undefined || bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, instrument);
  }
  return { instruments: [...bySymbol.values()], skipped: entries.length - bySymbol.size };
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
