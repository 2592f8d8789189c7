import { expect, test } from "vitest";
import { ANYBODY } from "#test/support/principals.ts";
import { admitCall } from "./call-admission.ts";
import { RateLimits } from "./rate-limits.ts";

function admissions(count: number, grantedToPrincipal: number) {
  const rates = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1 }, 0);
  let taken = 0;
  const accounts = { takeRequests: () => taken++ < grantedToPrincipal };
  const parts = { rates, accounts, requestsPerSecondMax: 10 };
  return Array.from({ length: count }, () => admitCall(parts, ANYBODY, 0));
}

test("a call is served within the rates of its session and of its principal", () => {
  expect(admissions(9, 9).every(({ does }) => does === "serve")).toBe(true);
});

test("a call above the rate of its session is told when to come again", () => {
  const last = admissions(10, 100).at(-1);
  expect(last).toMatchObject({
    does: "refuse",
    error: { code: "resource_exhausted", detail: { reason: "RATE_LIMITED", retryAfterMs: 100 } },
  });
});

test("so is one above the rate of its principal, and both use up the same patience", () => {
  const all = admissions(101, 0);
  expect(all[0]).toMatchObject({ does: "refuse", error: { detail: { retryAfterMs: 1_000 } } });
  expect(all.slice(-2).map(({ does }) => does)).toEqual(["refuse", "close"]);
});
