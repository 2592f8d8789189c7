import { expect, test } from "vitest";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";
import { isOwnOrLoopback, serveCrossOrigin } from "./cors.ts";

const request = (method: string, headers: Readonly<Record<string, string>>): HttpRequest => ({
  method,
  path: "/",
  query: "",
  headers: new Map(Object.entries(headers)),
  remoteAddress: "::1",
  body: new Uint8Array(),
  signal: new AbortController().signal,
});

const ANSWER: HttpResponse = { status: 200, headers: { vary: "accept-encoding" }, body: "x" };
const ORIGIN = "https://a.test";

const serve = (method: string, headers: Readonly<Record<string, string>>, may = true) =>
  serveCrossOrigin(
    request(method, headers),
    () => may,
    () => Promise.resolve(ANSWER),
  );

test("a request without an origin is answered as it is", async () => {
  expect(await serve("POST", {}, false)).toBe(ANSWER);
});

test("a page that may use the gateway may read the whole answer", async () => {
  expect(await serve("POST", { origin: ORIGIN })).toEqual({
    status: 200,
    headers: {
      vary: "accept-encoding, origin",
      "access-control-allow-origin": ORIGIN,
      "access-control-expose-headers": "*",
    },
    body: "x",
  });
});

test("a preflight is answered without asking anything further", async () => {
  const { status, headers } = await serve("OPTIONS", {
    origin: ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "connect-protocol-version",
  });
  expect(status).toBe(204);
  expect(headers).toMatchObject({
    "access-control-allow-origin": ORIGIN,
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": "*, authorization",
    "access-control-max-age": "7200",
  });
});

test("OPTIONS without the question of a preflight is none", async () => {
  expect((await serve("OPTIONS", { origin: ORIGIN })).body).toBe("x");
});

test.each(["POST", "GET", "OPTIONS"])("%s of another page is refused", async (method) => {
  const asked = { origin: ORIGIN, "access-control-request-method": "POST" };
  const { status, headers } = await serve(method, asked, false);
  expect(status).toBe(403);
  expect(headers).not.toHaveProperty("access-control-allow-origin");
});

test.each([
  ["https://md.test", "md.test", true],
  ["https://md.test:8443", "md.test:8443", true],
  ["https://md.test", "MD.test", true],
  ["https://md.test:8443", "md.test", false],
  ["https://evil.test", "md.test", false],
  ["http://localhost:5173", "md.test", true],
  ["http://127.0.0.1:1", "md.test", true],
  ["http://[::1]:1", "md.test", true],
  ["http://localhost.evil.test", "md.test", false],
  ["null", "md.test", false],
  ["file://", "", false],
  ["http://", "", false],
])("a page of %s on a gateway called %s may use it: %s", (origin, host, expected) => {
  expect(isOwnOrLoopback(request("POST", { origin, host }))).toBe(expected);
});
