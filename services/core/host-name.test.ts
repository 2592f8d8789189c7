import { describe, expect, test } from "vitest";
import { isLoopbackHost, OwnHosts, parseHostPort } from "./host-name.ts";

test.each([
  ["example.com", { host: "example.com", port: "" }],
  ["Example.COM:8080", { host: "example.com", port: "8080" }],
  ["example.com.:80", { host: "example.com", port: "80" }],
  ["[::1]:8080", { host: "::1", port: "8080" }],
  ["127.0.0.1", { host: "127.0.0.1", port: "" }],
  ["::1", undefined],
  ["a:b", undefined],
  ["a b", undefined],
  ["user@example.com", undefined],
  ["a, b", undefined],
  ["", undefined],
])("%s is split into %o", (text, parsed) => {
  expect(parseHostPort(text)).toEqual(parsed);
});

test.each([
  ["localhost", true],
  ["app.localhost", true],
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["127.0.0.1.evil.com", false],
  ["127.0.0.999", false],
  ["localhost.evil.com", false],
  ["0.0.0.0", false],
  ["10.0.0.1", false],
])("%s is loopback: %s", (host, is) => {
  expect(isLoopbackHost(host)).toBe(is);
});

describe("the hosts of a server", () => {
  test.each([
    ["127.0.0.1", [], "localhost:8080", true],
    ["127.0.0.1", [], "evil.com", false],
    ["127.0.0.1", [], "10.0.0.1:8080", false],
    ["127.0.0.1", [], undefined, false],
    ["10.0.0.1", [], "10.0.0.1:8080", true],
    ["10.0.0.1", ["md.example.com"], "MD.example.com", true],
    ["10.0.0.1", ["md.example.com"], "x.md.example.com", false],
    ["0.0.0.0", [], "192.0.2.7:8080", true],
    ["::", [], "[2001:db8::1]:8080", true],
    ["0.0.0.0", [], "evil.com", false],
    ["0.0.0.0", ["*"], "evil.com", true],
  ])("listening on %s, with %j, %s is one: %s", (listens, more, header, is) => {
    expect(new OwnHosts(listens, more).has(header)).toBe(is);
  });
});
