import { expect, test } from "vitest";
import { addHeader } from "./request-headers.ts";

test("values of a repeated header are joined in order, those of a cookie with semicolons", () => {
  const headers = new Map<string, string>();
  for (const [name, value] of [
    ["host", "a"],
    ["authorization", "one"],
    ["cookie", "a=1"],
    ["authorization", "two"],
    ["cookie", "b=2"],
    ["authorization", ""],
  ] as const) {
    addHeader(headers, name, value);
  }
  expect([...headers]).toEqual([
    ["host", "a"],
    ["authorization", "one, two, "],
    ["cookie", "a=1; b=2"],
  ]);
});
