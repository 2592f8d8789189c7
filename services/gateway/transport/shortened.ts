/** More of what a client sent is never repeated to it, or to the log. */
const QUOTED_CHARACTERS_MAX = 100;

/** What a client sent, cut to what an error may repeat of it. */
export function shortened(text: string): string {
  return text.length <= QUOTED_CHARACTERS_MAX ? text : `${text.slice(0, QUOTED_CHARACTERS_MAX)}…`;
}
