import { assert } from "./assert.ts";

/**
 * A fencing token numbers the terms of those who publish a venue: whoever takes over has the next
 * one, so that a publisher that does not know yet of its end is told apart from its successor. It
 * is the upper 21 bits of an epoch of 53; the lower 32 are drawn by lot, so that two terms are
 * never the same even where nobody could remember the token of the one before.
 */
const FENCING_TOKEN_BITS = 21;

const LOT_BITS = 32;
const TOKENS = 2 ** FENCING_TOKEN_BITS;
const LOTS = 2 ** LOT_BITS;
const HALF = TOKENS / 2;

/** No token: of a publisher that has none, or of a term that nobody has led. */
export const NO_TOKEN = 0;

/** The largest token. Behind it comes 1. */
export const FENCING_TOKEN_MAX = TOKENS - 1;

/** An epoch of this term. `lot` is an integer from 0 to 2^32 - 1. */
export function epochOf({ token, lot }: { readonly token: number; readonly lot: number }): number {
  assert(isFencingToken(token), "an epoch is one of a term");
  assert(Number.isInteger(lot) && lot >= 0 && lot < LOTS, "a lot has 32 bits");
  return token * LOTS + lot;
}

/** The token of an epoch that `epochOf` made. */
export function fencingTokenOf(epoch: number): number {
  return Math.floor(epoch / LOTS);
}

export function isFencingToken(value: number): boolean {
  return Number.isInteger(value) && value > NO_TOKEN && value <= FENCING_TOKEN_MAX;
}

/** The token of the term after this one; 1 after the largest, and after none. */
export function nextFencingToken(token: number): number {
  return token >= FENCING_TOKEN_MAX ? 1 : token + 1;
}

/**
 * Whether the term of `token` came after that of `other`. Tokens are counted around a circle: the
 * half of it that is ahead of a token is later. So 1 is later than the largest, and it would take a
 * million takeovers that one side has not heard of to get it wrong. Any token is later than none.
 */
export function isLaterToken(token: number, other: number): boolean {
  if (token === NO_TOKEN || token === other) return false;
  if (other === NO_TOKEN) return true;
  const ahead = (token - other + TOKENS) % TOKENS;
  return ahead < HALF;
}
