import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { HttpRequest } from "../transport/transport.ts";
import { readGet, readPost } from "./connect-request.ts";

const request = (
  method: string,
  more: { query?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
): HttpRequest => ({
  method,
  path: "/s.S/M",
  query: more.query ?? "",
  headers: new Map(Object.entries(more.headers ?? {})),
  remoteAddress: "::1",
  body: more.body ?? new Uint8Array(),
  signal: new AbortController().signal,
});

const asked = (query: string) => readGet(request("GET", { query }))?.readMessage();
const bytesOf = (query: string) => Buffer.from(asked(query)?.bytes ?? []);

test.each([
  ["encoding=json&message=%7B%22a%22%3A%22b+c%22%7D", '{"a":"b c"}'],
  ["encoding=json&base64=1&message=eyJhIjoxfQ", '{"a":1}'],
  ["encoding=json&base64=1&message=eyJhIjoxfQ%3D%3D", '{"a":1}'],
  ["encoding=json&message=", ""],
  ["encoding=json&message=%C3%A9", "é"],
  ["message=1&encoding=json&message=2", "1"],
])("the query %s asks with %j", (query, text) => {
  expect(bytesOf(query).toString()).toBe(text);
});

test("a message of bytes comes in either alphabet of base64, or as it is", () => {
  const bytes = Buffer.from([0xfb, 0xff, 0x00, 0x80]);
  for (const form of ["base64=1&message=-_8AgA", "base64=1&message=%2B%2F8AgA%3D%3D"]) {
    expect(bytesOf(`encoding=proto&${form}`)).toEqual(bytes);
  }
  expect(bytesOf("encoding=proto&message=%FB%ff%00%80")).toEqual(bytes);
});

test("a compressed message in a query says so", () => {
  const message = gzipSync("{}").toString("base64url");
  expect(asked(`encoding=json&base64=1&compression=gzip&message=${message}`)).toEqual({
    bytes: gzipSync("{}"),
    gzipped: true,
  });
  expect(asked("encoding=json&message={}&compression=identity")?.gzipped).toBe(false);
});

test.each(["", "message={}", "encoding=xml&message={}", "encoding=toString&message={}"])(
  "the query %j names no encoding of ours",
  (query) => {
    expect(readGet(request("GET", { query }))).toBeUndefined();
  },
);

test.each([
  ["encoding=json", "the query has no parameter message"],
  ["encoding=json&message={}&connect=v2", "version v2 of the protocol is not v1"],
  ["encoding=json&message={}&compression=br", "the encoding br is not supported"],
  ["encoding=json&message=a*b&base64=1", "is not base64"],
  ["encoding=json&message=abcde&base64=1", "is not base64"],
  ["encoding=json&message=%zz&base64=1", "is not base64"],
])("the query %s is refused: %s", (query, reason) => {
  expect(() => asked(query)).toThrow(reason);
});

const streamHeaders = { "content-type": "application/connect+json" };
const envelope = Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]);

test("a stream is asked for by one message in an envelope", () => {
  const read = (body: Uint8Array, headers: Record<string, string> = {}) =>
    readPost(
      "server-streaming",
      request("POST", { headers: { ...streamHeaders, ...headers }, body }),
    )?.readMessage();
  expect(read(envelope)?.bytes).toEqual(Buffer.from("{}"));
  expect(() => read(Buffer.concat([envelope, envelope]))).toThrow("not by 2");
  expect(() => read(Buffer.alloc(0))).toThrow("there is no message");
  const gzipped = Buffer.from([1, ...envelope.subarray(1)]);
  expect(() => read(gzipped)).toThrow("connect-content-encoding names no encoding");
  expect(read(gzipped, { "connect-content-encoding": "gzip" })?.gzipped).toBe(true);
  expect(() => read(envelope, { "connect-content-encoding": "zstd" })).toThrow("zstd");
});

test.each([
  ["unary", "application/json", true],
  ["unary", "Application/Proto ; charset=UTF-8", true],
  ["unary", "application/connect+json", false],
  ["unary", "application/grpc", false],
  ["server-streaming", "application/connect+proto", true],
  ["server-streaming", "application/json", false],
] as const)("a %s method takes %s: %s", (kind, type, taken) => {
  const form = readPost(kind, request("POST", { headers: { "content-type": type } }));
  expect(form !== undefined).toBe(taken);
});
