import { describe, expect, test } from "vitest";
import { Origins } from "./origins.ts";

const origins = new Origins({
  host: "10.0.0.1",
  hosts: ["md.example.com"],
  origins: ["https://app.example.com"],
});

const headers = (values: Record<string, string>) => new Map(Object.entries(values));

const statusFor = (host: string, origin?: string) =>
  origins.refusal(headers({ host, ...(origin === undefined ? {} : { origin }) }))?.status;

describe("a host", () => {
  test.each([
    ["10.0.0.1:8080", undefined],
    ["md.example.com", undefined],
    ["localhost:8080", undefined],
    ["[::1]:8080", undefined],
    ["evil.example", 421],
    ["10.0.0.2", 421],
    ["md.example.com.evil.example", 421],
  ])("%s gives %s", (host, status) => {
    expect(statusFor(host)).toBe(status);
  });

  test("must be named", () => {
    expect(origins.refusal(new Map())?.status).toBe(421);
  });
});

describe("an origin", () => {
  test.each([
    ["https://app.example.com", undefined],
    ["HTTPS://APP.example.com", undefined],
    ["http://localhost:3000", undefined],
    ["http://127.0.0.1:5173", undefined],
    ["http://[::1]:5173", undefined],
    ["https://md.example.com", undefined],
    ["http://app.example.com", 403],
    ["https://app.example.com:8443", 403],
    ["https://md.example.com:8443", 403],
    ["https://localhost.evil.example", 403],
    ["https://evil.example", 403],
    ["https://app.example.com, https://evil.example", 403],
    ["http://evil.example@localhost", 403],
    ["file://", 403],
    ["null", 403],
    ["", 403],
  ])("%s gives %s", (origin, status) => {
    expect(statusFor("md.example.com", origin)).toBe(status);
  });

  test("is the gateway's own with the same port only", () => {
    expect(statusFor("10.0.0.1:8080", "http://10.0.0.1:8080")).toBeUndefined();
    expect(statusFor("10.0.0.1:8080", "http://10.0.0.1")).toBe(403);
    expect(statusFor("10.0.0.1:80", "http://10.0.0.1")).toBeUndefined();
  });

  test("may be any if that is said", () => {
    const open = new Origins({ host: "10.0.0.1", hosts: [], origins: ["*"] });
    const asked = headers({ host: "10.0.0.1", origin: "https://evil.example" });
    expect(open.refusal(asked)).toBeUndefined();
    expect(open.corsHeaders(asked)["access-control-allow-origin"]).toBe("https://evil.example");
  });
});

test("a refusal quotes at most 100 characters of what was sent", () => {
  const refusal = origins.refusal(headers({ host: "x".repeat(5_000) }));
  expect(refusal?.message).toContain(`"${"x".repeat(100)}…"`);
  expect(refusal?.message.length).toBeLessThan(250);
});

test("an answer lets the page read it that asked, and tells caches that it depends on it", () => {
  expect(origins.corsHeaders(headers({ origin: "http://localhost:3000" }))).toMatchObject({
    vary: "origin",
    "access-control-allow-origin": "http://localhost:3000",
  });
  expect(origins.corsHeaders(new Map())).toEqual({ vary: "origin" });
});

describe("a preflight", () => {
  const asked = { origin: "http://localhost:3000", "access-control-request-method": "POST" };

  test("is answered with what pages may send", () => {
    const answer = origins.preflightHeaders("OPTIONS", headers(asked));
    expect(answer).toMatchObject({
      "access-control-allow-origin": "http://localhost:3000",
      "access-control-allow-methods": "GET, POST",
      "access-control-max-age": "7200",
    });
    const allowed = answer?.["access-control-allow-headers"]?.split(", ");
    expect(allowed).toContain("content-type");
    expect(allowed).toContain("connect-protocol-version");
    expect(answer).not.toHaveProperty("access-control-allow-private-network");
  });

  test("from a public page to a private network is answered if it asks", () => {
    const more = { ...asked, "access-control-request-private-network": "true" };
    expect(origins.preflightHeaders("OPTIONS", headers(more))).toHaveProperty(
      "access-control-allow-private-network",
      "true",
    );
  });

  test.each([
    ["POST", asked],
    ["OPTIONS", { origin: asked.origin }],
    ["OPTIONS", { "access-control-request-method": "POST" }],
  ])("is not %s with %o", (method, given) => {
    expect(origins.preflightHeaders(method, headers(given as never))).toBeUndefined();
  });
});

test("a refusal shows what was sent and does not act it out", () => {
  const refusal = origins.refusal(headers({ host: "\u001b[2J\u202e" }));
  expect(refusal?.message).toContain(String.raw`"\u001b[2J\u202e"`);
});
