import type { FetchLike } from "./fetch-like.ts";

const TOKEN_BYTES = 18;

/** The host's `fetch`. */
export const hostFetch: FetchLike = (url, init) => fetch(url, init);

/** A name for a session that nobody can guess, because whoever has it speaks for the session. */
export function createSessionToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_");
}
