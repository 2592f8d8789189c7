import fc from "fast-check";
import { expect, test } from "vitest";
import { InvariantError } from "./assert.ts";
import {
  epochOf,
  FENCING_TOKEN_MAX,
  fencingTokenOf,
  isFencingToken,
  isLaterToken,
  NO_TOKEN,
  nextFencingToken,
} from "./fencing-token.ts";

const tokens = fc.integer({ min: 1, max: FENCING_TOKEN_MAX });

test("the token is the upper part of an epoch that any number holds exactly", () => {
  const lots = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(tokens, lots, (token, lot) => {
      const epoch = epochOf({ token, lot });
      expect(Number.isSafeInteger(epoch)).toBe(true);
      expect(epoch).toBeGreaterThan(0);
      expect(fencingTokenOf(epoch)).toBe(token);
      // The same by another way: bits.
      expect(Number(BigInt(epoch) >> 32n)).toBe(token);
      expect(Number(BigInt(epoch) & 0xff_ff_ff_ffn)).toBe(lot);
    }),
  );
  expect(epochOf({ token: FENCING_TOKEN_MAX, lot: 2 ** 32 - 1 })).toBe(Number.MAX_SAFE_INTEGER);
});

test("what is no token, or no lot, makes no epoch", () => {
  for (const token of [NO_TOKEN, -1, 1.5, FENCING_TOKEN_MAX + 1, Number.NaN]) {
    expect(isFencingToken(token)).toBe(false);
    expect(() => epochOf({ token, lot: 1 })).toThrow(InvariantError);
  }
  for (const lot of [-1, 0.5, 2 ** 32]) {
    expect(() => epochOf({ token: 1, lot })).toThrow(InvariantError);
  }
});

test("of two tokens less than half a circle apart the later one is known, also around its end", () => {
  const steps = fc.integer({ min: 1, max: 2 ** 20 - 1 });
  fc.assert(
    fc.property(tokens, steps, (token, ahead) => {
      const later = (token + ahead) % 2 ** 21;
      if (later === 0) return;
      expect(isLaterToken(later, token)).toBe(true);
      expect(isLaterToken(token, later)).toBe(false);
    }),
  );
});

test("the next token is later, 1 comes behind the largest, and none is later than itself", () => {
  fc.assert(
    fc.property(tokens, (token) => {
      expect(isFencingToken(nextFencingToken(token))).toBe(true);
      expect(isLaterToken(nextFencingToken(token), token)).toBe(true);
      expect(isLaterToken(token, token)).toBe(false);
      expect(isLaterToken(token, NO_TOKEN)).toBe(true);
      expect(isLaterToken(NO_TOKEN, token)).toBe(false);
    }),
  );
  expect(nextFencingToken(FENCING_TOKEN_MAX)).toBe(1);
  expect(nextFencingToken(NO_TOKEN)).toBe(1);
});
