/**
 * A venue's text as a part of an address; undefined if it is none, because half of a surrogate pair
 * cannot be written there.
 */
export function addressText(text: string): string | undefined {
  return /\p{Cs}/u.test(text) ? undefined : encodeURIComponent(text);
}
