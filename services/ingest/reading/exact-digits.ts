/**
 * The digits of an integer that `JSON.parse` gave as a number. One that a double does not hold
 * exactly is taken out of the message's text by `pattern`, whose first group is its digits.
 * Undefined if the value is no integer.
 */
export function exactDigits(value: unknown, text: string, pattern: RegExp): string | undefined {
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  return Number.isSafeInteger(value) ? String(value) : pattern.exec(text)?.[1];
}
