import { expect, test } from "vitest";
import { pingPayload, pongNumber } from "./ping-number.ts";

test.each([0, 1, 65_536, 2 ** 32 - 1])("the ping %d is known by its pong", (number) => {
  expect(pongNumber(Uint8Array.from(pingPayload(number)))).toBe(number);
});

test.each([[[]], [[1, 2, 3]], [[1, 2, 3, 4, 5]]])(
  "a pong of the bytes %j answers no ping",
  (bytes) => {
    expect(pongNumber(Uint8Array.from(bytes))).toBeUndefined();
  },
);
