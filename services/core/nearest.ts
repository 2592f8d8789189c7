import { quotedText } from "./visible-text.ts";

/** Suggestions that one error makes at most. */
const SUGGESTIONS_MAX = 3;
/** One slip is allowed for so many letters, and for fewer. */
const LETTERS_PER_SLIP = 4;
/** Of so many candidates the nearest are looked for; a venue may have more instruments. */
const CANDIDATES_MAX = 20_000;

/**
 * The candidates that somebody who typed `text` most likely meant, the likeliest first: those that
 * few changed, missing, added or swapped letters lead to, or that begin or go on with it. None if
 * nothing is near.
 */
export function nearest(text: string, candidates: Iterable<string>): readonly string[] {
  const typed = text.toLowerCase();
  const near: { readonly candidate: string; readonly distance: number }[] = [];
  let seen = 0;
  for (const candidate of candidates) {
    seen += 1;
    if (seen > CANDIDATES_MAX) break;
    const known = candidate.toLowerCase();
    const isPart = typed.length >= 2 && (known.startsWith(typed) || known.includes(`-${typed}`));
    const limit = Math.max(1, Math.floor(Math.max(typed.length, known.length) / LETTERS_PER_SLIP));
    const distance = isPart ? 0.5 : distanceOf(typed, known, limit);
    if (distance <= limit) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  const least = near[0]?.distance ?? 0;
  return near
    .filter(({ distance }) => distance <= 2 * least)
    .slice(0, SUGGESTIONS_MAX)
    .map(({ candidate }) => candidate);
}

/** `; did you mean kraken or kraken-v1?`, or nothing. */
export function didYouMean(text: string, candidates: Iterable<string>): string {
  const found = nearest(text, candidates);
  if (found.length === 0) return "";
  const last = found.at(-1) ?? "";
  const rest = found.slice(0, -1).join(", ");
  return `; did you mean ${rest === "" ? last : `${rest} or ${last}`}?`;
}

/** Says that there is no such thing: with what may have been meant, or else with all there is. */
export function unknownText(
  what: string,
  { text, known }: { readonly text: string; readonly known: readonly string[] },
): string {
  const meant = didYouMean(text, known);
  return `there is no ${what} ${quotedText(text)}${meant === "" ? `; there are ${known.join(", ")}` : meant}`;
}

/** How many letters lead from one to the other; more than `limit` if it takes more than that. */
function distanceOf(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      let least = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && isSwap) least = Math.min(least, (before[column - 2] ?? 0) + 1);
      next.push(least);
    }
    if (Math.min(...next) > limit) return limit + 1;
    [before, last] = [last, next];
  }
  return last[to.length] ?? limit + 1;
}
