/**
 * A number that counts something, such as updates or trades, out of its digits. Undefined if it is
 * none, or so large that a double does not hold it exactly.
 */
export function wholeNumber(text: unknown): number | undefined {
  if (typeof text !== "string" || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}
