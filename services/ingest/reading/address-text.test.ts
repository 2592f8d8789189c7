import { expect, test } from "vitest";
import { addressText } from "./address-text.ts";

test("any text is a part of an address but one with half of a surrogate pair", () => {
  expect(addressText("a/b&c %41")).toBe("a%2Fb%26c%20%2541");
  expect(addressText("😀")).toBe("%F0%9F%98%80");
  expect(addressText("a\ud800")).toBeUndefined();
  expect(addressText("\udc00\ud800")).toBeUndefined();
});
