import { expect, test } from "vitest";
import { cutReason, parseSubprotocols } from "./web-socket-text.ts";

test.each([
  ["a".repeat(122), 122],
  ["a".repeat(123), 123],
  ["a".repeat(124), 123],
  ["€".repeat(41), 123],
  [`a${"€".repeat(41)}`, 121],
  [`${"a".repeat(121)}😀`, 121],
])("a close reason is cut to 123 bytes between characters", (reason, bytes) => {
  const cut = cutReason(reason);
  expect(Buffer.byteLength(cut)).toBe(bytes);
  expect(reason.startsWith(cut)).toBe(true);
});

test("subprotocols keep their order and lose their spaces", () => {
  expect(parseSubprotocols(" tickwire.v1 ,mqtt,, ")).toEqual(["tickwire.v1", "mqtt"]);
  expect(parseSubprotocols(undefined)).toEqual([]);
});
