/** Of the 5,000 topics of a session. The rest is for the instrument that is shown. */
export const TICKERS_MAX = 4_000;

/** Which tickers to follow if not all of them may be: favourites, then the others in order. */
export function followedTickers(
  topics: readonly string[],
  favourites: ReadonlySet<string>,
  tickersMax: number = TICKERS_MAX,
): string[] {
  if (topics.length <= tickersMax) return [...topics];
  const first = topics.filter((topic) => favourites.has(topic));
  const others = topics.filter((topic) => !favourites.has(topic));
  return [...first, ...others].slice(0, tickersMax);
}
