const ZERO = 48;

/** Digits of a whole number that a double holds whatever they are. */
const DIGITS_MAX = 15;

/**
 * The number that an id is the text of, where the venue counts: so many ids take little memory as
 * numbers. -1 for a text that is no whole number, is longer than 15 digits, or begins with a zero
 * that a number would lose.
 */
export function countedId(text: string): number {
  const { length } = text;
  if (length === 0 || length > DIGITS_MAX) return -1;
  let id = 0;
  for (let index = 0; index < length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    id = id * 10 + digit;
  }
  return length > 1 && text.charCodeAt(0) === ZERO ? -1 : id;
}
