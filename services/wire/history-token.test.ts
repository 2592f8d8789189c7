import fc from "fast-check";
import { expect, test } from "vitest";
import { historyQuery, readHistoryToken, writeHistoryToken } from "./history-token.ts";

const QUERY = historyQuery({ venue: "v", symbol: "A-USD", fromTimeUs: 1, toTimeUs: 0 });

test("a token is read as it was written, for its query alone", () => {
  const integer = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), integer, integer, (query, epoch, key) => {
      const token = writeHistoryToken(query, { epoch, key });
      expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(readHistoryToken(query, token)).toEqual({ epoch, key });
      expect(readHistoryToken(`${query} `, token)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test.each([
  { symbol: "B-USD" },
  { venue: "w" },
  { intervalMs: 60_000 },
  { fromTimeUs: 2 },
  { toTimeUs: 9 },
])("a request that differs by %j has another query", (change) => {
  const other = historyQuery({
    venue: "v",
    symbol: "A-USD",
    fromTimeUs: 1,
    toTimeUs: 0,
    ...change,
  });
  expect(other).not.toBe(QUERY);
});

test("any other text is no token", () => {
  const token = writeHistoryToken(QUERY, { epoch: 1, key: 2 });
  const encoded = (text: string) => Buffer.from(text).toString("base64url");
  const check = Buffer.from(token, "base64url").toString().split(".")[0] ?? "";
  for (const text of [
    "",
    "x",
    "====",
    token.slice(1),
    `${token}A`,
    ` ${token}`,
    encoded(`${check}.1.02`),
    encoded(`${check}.-1.2`),
    encoded(`${check}.1.9999999999999999`),
    encoded(`${check}.1`),
    encoded(`0.1.2`),
    "A".repeat(10_000),
  ]) {
    expect(readHistoryToken(QUERY, text)).toBeUndefined();
  }
});
