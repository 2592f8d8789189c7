import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { REQUEST_FIELDS_MAX } from "../rpc/service-table.ts";
import { decodeMessage } from "./connect-message.ts";

/** A message that takes any JSON. */
const ANY = {
  name: "test.Any",
  encode: () => new Uint8Array(0),
  decode: () => expect.unreachable(),
  fromJson: (json: unknown) => json,
  toJson: (message: unknown) => message,
};

const numbers = (count: number): string => `[${Array.from({ length: count }, () => 1).join()}]`;

const read = (values: number) => decodeMessage(ANY, Buffer.from(numbers(values - 1)), "json");

test.each([REQUEST_FIELDS_MAX - 1, REQUEST_FIELDS_MAX])("a request of %d values is read", (it) => {
  expect(read(it)).toHaveLength(it - 1);
});

test("a request of one value more than REQUEST_FIELDS_MAX is refused", () => {
  const values = REQUEST_FIELDS_MAX + 1;
  expect(() => read(values)).toThrow(`it has more than ${REQUEST_FIELDS_MAX} values`);
});

test("brackets alone are refused before they are parsed", () => {
  // It is no JSON either, and whoever had parsed it would say so.
  const brackets = Buffer.from("[".repeat(800_000));
  expect(() => decodeMessage(ANY, brackets, "json")).toThrow("it has more than");
});
