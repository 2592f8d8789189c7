import { expect, test } from "vitest";
import { gotUntilUs, lateRange } from "./late-range.ts";

const WHOLE = { fromTimeUs: 0, toTimeUs: 0, pageToken: "" };
const TERMS = { depthMax: 0, intervalMsMin: 0, delayMs: 0 };

test("whoever gets everything at once is given what he asks for", () => {
  expect(gotUntilUs(TERMS, 5_000_000)).toBeUndefined();
  expect(gotUntilUs({ ...TERMS, depthMax: 5 }, 5_000_000)).toBeUndefined();
  const asked = { ...WHOLE, pageToken: "abc" };
  const { request, tokenOf } = lateRange(asked, undefined);
  expect([request, tokenOf("next"), tokenOf("")]).toEqual([asked, "next", ""]);
});

test("a delay and an interval add up: a batch may wait for both", () => {
  expect(gotUntilUs({ ...TERMS, delayMs: 1_000 }, 5_000_000)).toBe(4_000_000);
  expect(gotUntilUs({ ...TERMS, intervalMsMin: 500 }, 5_000_000)).toBe(4_500_000);
  expect(gotUntilUs({ ...TERMS, delayMs: 1_000, intervalMsMin: 500 }, 5_000_000)).toBe(3_500_000);
});

test.each([
  [0, 0, 1_000],
  [0, 500, 500],
  [0, 2_000, 1_000],
  [999, 0, 1_000],
])("a request from %d to %d ends at %d", (fromTimeUs, toTimeUs, end) => {
  const { request } = lateRange({ fromTimeUs, toTimeUs, pageToken: "" }, 1_000);
  expect(request).toEqual({ fromTimeUs, toTimeUs: end, pageToken: "" });
});

test.each([
  [1_000, 0],
  [5_000, 6_000],
])("a request from %d to %d has nothing to give yet", (fromTimeUs, toTimeUs) => {
  expect(lateRange({ fromTimeUs, toTimeUs, pageToken: "" }, 1_000).request).toBeUndefined();
  expect(lateRange(WHOLE, 0).request).toBeUndefined();
});

test("all pages end where the first one did, and each token works with that end alone", () => {
  const first = lateRange(WHOLE, 1_000);
  const token = first.tokenOf("abc-_9");
  expect(token).toBe("1000.abc-_9");
  const second = lateRange({ ...WHOLE, pageToken: token }, 7_000);
  expect(second.request).toEqual({ fromTimeUs: 0, toTimeUs: 1_000, pageToken: "abc-_9" });
  expect(second.tokenOf("def")).toBe("1000.def");
});

test.each(["abc", "1001.abc", "99999999999999999.abc", "-5.abc", "0.abc", "1e3.abc", ".abc", "7."])(
  "a token that nobody gave, %s, is refused",
  (pageToken) =>
    expect(() => lateRange({ ...WHOLE, pageToken }, 1_000)).toThrow("page_token is not one"),
);
