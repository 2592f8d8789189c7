import { expect, test } from "vitest";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";
import { HttpFace } from "./http-face.ts";

function request(method: string, path: string): HttpRequest {
  const { signal } = new AbortController();
  const body = new Uint8Array();
  return { method, path, query: "", headers: new Map(), remoteAddress: "::1", body, signal };
}

/** A face whose RPCs answer only what lies under /rpc. */
function faceOf(): HttpFace {
  const answer: HttpResponse = { status: 299, headers: {}, body: "an RPC" };
  return new HttpFace({
    rpc: { serve: ({ path }) => Promise.resolve(path.startsWith("/rpc") ? answer : undefined) },
    webSocketPath: "/v9/socket",
    serverVersion: "1.2.3",
  });
}

const ask = (method: string, path: string) => faceOf().serve(request(method, path));

test("RPCs come first, whatever the method", async () => {
  expect((await ask("POST", "/rpc")).body).toBe("an RPC");
  expect((await ask("GET", "/rpc/x")).body).toBe("an RPC");
});

test.each(["GET", "HEAD"])("%s / is a page that says how to begin", async (method) => {
  const { status, headers, body } = await ask(method, "/");
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
  for (const words of ["1.2.3", "/v9/socket", "curl", "npx tickwire subscribe"]) {
    expect(body).toContain(words);
  }
});

test("another method on the page is refused with those that there are", async () => {
  const { status, headers } = await ask("POST", "/");
  expect([status, headers["allow"]]).toEqual([405, "GET, HEAD"]);
});

test("the path of the WebSocket says how to come in", async () => {
  const { status, headers, body } = await ask("GET", "/v9/socket");
  expect([status, headers["upgrade"]]).toEqual([426, "websocket"]);
  expect(body).toContain("/v9/socket is a WebSocket");
});

test.each(["/metrics", "/healthz", "/readyz", "/v1/ws", "/constructor", "//", ""])(
  "there is nothing at %j",
  async (path) => {
    const { status, body } = await ask("GET", path);
    expect(status).toBe(404);
    expect(body).toContain('"code":"not_found"');
  },
);
