import { Buffer } from "node:buffer";
import { beforeEach, expect, test } from "vitest";
import { Admission } from "./admission.ts";
import { RequestBody } from "./request-body.ts";

let admission: Admission;
let body: RequestBody;

beforeEach(() => {
  const limits = {
    connectionsMax: 1,
    connectionsPerAddressMax: 1,
    bodyBytesMax: 20,
    bodyBytesPerAddressMax: 8,
    bodyTimeoutMs: 1_000,
    bodyBytesPerSecondMin: 1,
    requestsPerSecondMax: 1,
    requestsPerSecondPerAddressMax: 1,
  };
  admission = new Admission(limits, () => 0);
  body = new RequestBody({ admission, remoteAddress: "10.0.0.1", requestBytesMax: 5 });
});

test("a body is its chunks in order, whatever becomes of their memory", () => {
  const chunk = Buffer.from("ab");
  expect(body.add(chunk)).toBeUndefined();
  chunk.fill("x");
  expect(body.add(Buffer.from(""))).toBeUndefined();
  expect(Buffer.from(body.read()).toString()).toBe("ab");
  body.add(Buffer.from("cd"));
  expect(Buffer.from(body.read()).toString()).toBe("abcd");
});

test.each([
  [4, undefined],
  [5, undefined],
  [6, "requestBytesMax"],
])("of %i bytes, where 5 are allowed: %s", (bytes, limit) => {
  expect(body.add(Buffer.alloc(bytes))).toBe(limit);
  expect(admission.bodyBytes).toBe(limit === undefined ? bytes : 0);
});

test("counts for its client until it is released, once", () => {
  const other = new RequestBody({ admission, remoteAddress: "10.0.0.1", requestBytesMax: 5 });
  body.add(Buffer.alloc(5));
  expect(other.add(Buffer.alloc(4))).toBe("bodyBytesPerAddressMax");
  expect(other.byteLength).toBe(0);
  body.release();
  body.release();
  expect([body.byteLength, admission.bodyBytes]).toEqual([0, 0]);
  expect(other.add(Buffer.alloc(4))).toBeUndefined();
});
