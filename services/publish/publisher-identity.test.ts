import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import { newPublisherIdentity, newTermEpoch } from "./publisher-identity.ts";

test("an epoch is 53 bits of the UUID, without those that are the same in all", () => {
  const { publisherId, epoch } = newPublisherIdentity(
    "ingest",
    "ffffffff-ffff-4fff-bfff-ffffffffffff",
  );
  expect(publisherId).toBe("ingest-ffffffff-ffff-4fff-bfff-ffffffffffff");
  expect(epoch).toBe(Number.MAX_SAFE_INTEGER);
});

test("an epoch is never 0, which stands for none", () => {
  const { epoch } = newPublisherIdentity("ingest", "00000000-0000-4000-8000-000000000000");
  expect(epoch).toBe(1);
});

test("starts differ, and no order of theirs follows from their times", () => {
  const epochs = Array.from({ length: 200 }, () => newPublisherIdentity("a", randomUUID()).epoch);
  expect(new Set(epochs).size).toBe(200);
  expect(epochs.every((epoch) => Number.isSafeInteger(epoch) && epoch > 0)).toBe(true);
  const rises = epochs.filter((epoch, index) => index > 0 && epoch > epochs[index - 1]!).length;
  expect(rises).toBeGreaterThan(50);
  expect(rises).toBeLessThan(150);
});

test("what is no UUID identifies nobody", () => {
  expect(() => newPublisherIdentity("a", "1700000000")).toThrow(InvariantError);
});

test("the epoch of a term has its token above 32 bits of the UUID", () => {
  const epoch = newTermEpoch(5, "89abcdef-0000-4000-8000-000000000000");
  expect(epoch.toString(16)).toBe("589abcdef");
  expect(() => newTermEpoch(5, "1700000000")).toThrow(InvariantError);
});
