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
  ["code 50026", "passing"],
  ["status 503", "passing"],
  ["refused", "passing"],
  ["", "passing"],
  ["Already subscribed: {...}", "repeated"],
  ["repeated subscription", "repeated"],
] as const)("%s: %s", (reason, kind) => {
  expect(refusalKindOf(reason)).toBe(kind);
});
