import { describe, expect, test } from "vitest";
import { ANYBODY } from "#test/support/principals.ts";
import type { HttpResponse } from "../transport/transport.ts";
import type { AskedRequest } from "./asked-request.ts";
import { HttpFace } from "./http-face.ts";

function request(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): AskedRequest {
  const { signal } = new AbortController();
  const body = new Uint8Array();
  const named = new Map(Object.entries(headers));
  const who = { remoteAddress: "::1", principal: ANYBODY };
  return { method, path, query: "", headers: named, ...who, body, signal };
}

const DOOR = {
  refusal: () => undefined,
  accept: (): never => {
    throw new Error("nobody comes in here");
  },
};

type Dashboard = ConstructorParameters<typeof HttpFace>[0]["dashboard"];

/** A face whose RPCs answer only what lies under /rpc. */
function faceOf(pathPrefix = "", dashboard?: Dashboard): HttpFace {
  const answer: HttpResponse = { status: 299, headers: {}, body: "an RPC" };
  return new HttpFace({
    rpc: { serve: ({ path }) => Promise.resolve(path.startsWith("/rpc") ? answer : undefined) },
    streams: {
      serve: ({ path }) =>
        Promise.resolve(path === "/streams" ? { ...answer, status: 298 } : undefined),
    },
    pathPrefix,
    webSocketPath: "/v9/socket",
    serverVersion: "1.2.3",
    dashboard,
  });
}

const ask = (method: string, path: string) => faceOf().serve(request(method, path), DOOR);

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

test("sessions that HTTP carries come before pages", async () => {
  expect((await ask("GET", "/streams")).status).toBe(298);
});

test("another method on the page is refused with those that there are", async () => {
  const { status, headers } = await ask("POST", "/");
  expect([status, headers["allow"]]).toEqual([405, "GET, HEAD, OPTIONS"]);
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

describe("behind a path prefix", () => {
  const below = (method: string, path: string) => faceOf("/md").serve(request(method, path), DOOR);

  test("everything is found below it, as it would be without", async () => {
    expect((await below("POST", "/md/rpc/x")).body).toBe("an RPC");
    expect((await below("GET", "/md")).status).toBe(200);
    const page = await below("GET", "/md/");
    expect(page.body).toContain("/md/v9/socket");
    expect(page.body).toContain("/md/tickwire.v1.MarketData/");
    expect((await below("GET", "/md/v9/socket")).status).toBe(426);
  });

  test.each(["/", "/rpc/x", "/v9/socket", "/mdx", "/md2/rpc", "/md/md/"])(
    "nothing is at %s",
    async (path) => {
      const { status, body } = await below("POST", path);
      expect(status).toBe(404);
      expect(body).toContain(`there is nothing at ${path}; this gateway serves what is below /md`);
    },
  );
});

test("a WebSocket at another path is refused with the path that was tried and the right one", async () => {
  const upgrade = { upgrade: "WebSocket" };
  const { status, body } = await faceOf("/md").serve(request("GET", "/v9/socket", upgrade), DOOR);
  expect(status).toBe(404);
  expect(body).toContain("there is no WebSocket at /v9/socket; it is at /md/v9/socket");
});

test("a long path is cut where it is repeated", async () => {
  const { body } = await ask("GET", `/${"x".repeat(10_000)}`);
  expect(typeof body === "string" ? body.length : Infinity).toBeLessThan(200);
});

describe("with a dashboard", () => {
  const dashboard: Dashboard = {
    serve: (path) =>
      path === "/" || path === "/assets/a.js"
        ? { status: 200, headers: {}, body: `file ${path}` }
        : undefined,
  };
  const browser = { accept: "text/html,application/xhtml+xml;q=0.9" };
  const askFor = (method: string, path: string, headers = {}, prefix = "") =>
    faceOf(prefix, dashboard).serve(request(method, path, headers), DOOR);

  test("a browser gets the page, and everybody else the text", async () => {
    expect((await askFor("GET", "/", browser)).body).toBe("file /");
    const text = await askFor("GET", "/", { accept: "*/*" });
    expect(text.headers["vary"]).toBe("accept");
    expect(text.body).toContain("A browser gets the dashboard");
  });

  test("files come to everybody, what is none of them is not there", async () => {
    expect((await askFor("GET", "/assets/a.js")).body).toBe("file /assets/a.js");
    expect((await askFor("GET", "/assets/b.js", browser)).status).toBe(404);
    expect((await askFor("POST", "/assets/a.js")).status).toBe(405);
  });

  test("below a prefix the page's address ends with a slash", async () => {
    const { status, headers } = await askFor("GET", "/market", browser, "/market");
    expect([status, headers["location"]]).toEqual([308, "/market/"]);
    expect((await askFor("GET", "/market/", browser, "/market")).body).toBe("file /");
    expect((await askFor("GET", "/market/assets/a.js", {}, "/market")).body).toContain("a.js");
  });
});
