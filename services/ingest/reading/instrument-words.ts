import type { Instrument, InstrumentState } from "#core/instrument.ts";

/** What a venue's words for the state of an instrument mean in ours. */
export type StateWords = Readonly<Record<string, InstrumentState>>;

/** The state of an instrument as a list or a message has it. */
export type ListedState = Pick<Instrument, "state" | "stateWord">;

/**
 * The state that a word means, and the word. A word that is not known is kept, and nothing is made
 * of it; nothing is said where the venue says nothing.
 */
export function stateOfWord(words: StateWords, word: unknown): ListedState {
  if (typeof word !== "string" || word === "") return {};
  const state = Object.hasOwn(words, word) ? words[word] : undefined;
  return state === undefined ? { stateWord: word } : { state, stateWord: word };
}

/** The name of the first field that is true. For venues that have a flag for each state. */
export function firstFlag(
  record: Readonly<Record<string, unknown>>,
  flags: StateWords,
): string | undefined {
  return Object.keys(flags).find((flag) => record[flag] === true);
}
