import { expect, test } from "vitest";
import { retryAfterMs } from "./retry-after.ts";

const NOW_MS = Date.UTC(2026, 10, 26, 12);

test.each([
  ["120", 120_000],
  ["0", 0],
  ["Thu, 26 Nov 2026 12:00:30 GMT", 30_000],
  ["Thu, 26 Nov 2026 11:00:00 GMT", 0],
  ["3600", 3_600_000],
  ["3601", 3_600_000],
  ["soon", undefined],
])("Retry-After %j is %s ms", (text, waitMs) => {
  expect(retryAfterMs(text, NOW_MS)).toBe(waitMs);
});
