import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { type Emit, heartbeat } from "./emit.ts";
import { type ListedState, type StateWords, stateOfWord } from "./instrument-words.ts";

/** What a message says of one instrument. */
export type SaidOfInstrument = {
  readonly venueSymbol: unknown;
  readonly venueMarket?: string;
  readonly said: ListedState;
};

/**
 * The events of what a message says of instruments: their states, and that the list has changed
 * where one is not known here and has not ended.
 */
export function emitStates(
  all: readonly SaidOfInstrument[],
  catalog: InstrumentCatalog,
  emit: Emit,
): void {
  let hasNews = false;
  let isSilent = true;
  for (const { venueSymbol, venueMarket, said } of all) {
    const { state, stateWord: word = "" } = said;
    if (typeof venueSymbol !== "string" || state === undefined) continue;
    const instrument = catalog.byVenueSymbol(venueSymbol, venueMarket);
    if (instrument === undefined) {
      hasNews ||= state !== "delisted";
    } else {
      isSilent = false;
      emit({ kind: "instrument-state", instrument, state, word });
    }
  }
  if (hasNews) emit({ kind: "list-changed" });
  else if (isSilent) heartbeat(emit);
}

/** What the venue says of itself as a whole, by its word; a word that is not known says nothing. */
export function emitVenueState(words: StateWords, word: unknown, emit: Emit): void {
  const { state, stateWord = "" } = stateOfWord(words, word);
  if (state === undefined) heartbeat(emit);
  else emit({ kind: "venue-state", state, word: stateWord });
}
