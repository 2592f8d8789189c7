import { expect, test } from "vitest";
import { refusalKindOf } from "./refusals.ts";

test.each([
  ["Currency pair not supported INVALID/PAIR", "final"],
  ["ABC-USD is not a valid product", "final"],
  ["Invalid symbol", "final"],
  ["Unknown currency pair", "final"],
  ["Wrong URL or channel:foo,instId:BAR doesn't exist", "final"],
  ["channel not found", "final"],
  ["authentication required", "final"],
  ["too many requests", "passing"],
  ["Rate limit exceeded, retry in 5 seconds.", "passing"],
  ["too many invalid requests", "passing"],
  ["Service is temporarily unavailable", "passing"],
  ["system busy", "passing"],
  ["code 50026", "unknown"],
  ["status 503", "passing"],
  ["refused", "unknown"],
  ["", "unknown"],
  ["Already subscribed: {...}", "harmless"],
  ["repeated subscription", "harmless"],
] as const)("%s: %s", (reason, kind) => {
  expect(refusalKindOf({ reason })).toBe(kind);
});

const RULES = {
  harmless: { codes: ["1"] },
  passing: { codes: ["2"], words: /later/ },
  tooFast: { codes: ["3"], words: /slow down/ },
  final: { codes: ["4"], words: /unknown/ },
};

test.each([
  [{ code: "1", reason: "unknown" }, "harmless"],
  [{ code: "2", reason: "unknown" }, "passing"],
  [{ code: "3", reason: "" }, "too-fast"],
  [{ code: "4", reason: "later" }, "final"],
  [{ code: "9", reason: "unknown symbol" }, "final"],
  [{ code: "9", reason: "try later" }, "passing"],
  [{ reason: "slow down" }, "too-fast"],
  [{ code: "9", reason: "odd" }, "unknown"],
] as const)("a venue's codes go before its words: %j is %s", (refusal, kind) => {
  expect(refusalKindOf(refusal, RULES)).toBe(kind);
});
