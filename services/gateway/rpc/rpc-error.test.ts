import { expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import { codeOfWire, RpcError, toRpcError, wireCodeOf } from "./rpc-error.ts";

test("an error of a call stays what it is", () => {
  const error = new RpcError("not_found", "no venue x");
  expect(toRpcError(error)).toBe(error);
});

test("anything else that is thrown says nothing to the client, and keeps its cause for the log", () => {
  const cause = new Error("secret");
  const error = toRpcError(cause);
  expect([error.code, error.message, error.cause]).toEqual(["internal", "internal error", cause]);
});

test("a broken invariant is no answer to a call", () => {
  const broken = new InvariantError("two and two are four");
  expect(() => toRpcError(broken)).toThrow(broken);
});

test.each([
  ["not_found", "CODE_NOT_FOUND"],
  ["canceled", "CODE_CANCELLED"],
  ["deadline_exceeded", "CODE_DEADLINE_EXCEEDED"],
] as const)("%s is %s on the wire, and back", (code, wire) => {
  expect(wireCodeOf(code)).toBe(wire);
  expect(codeOfWire(wire)).toBe(code);
});

test("a code that the schema does not know is unknown", () => {
  expect(codeOfWire("CODE_INVENTED")).toBe("unknown");
});
