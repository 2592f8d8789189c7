import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  GetServerTimeRequestCodec,
  GetServerTimeResponseCodec,
  GetTradesRequestCodec,
} from "@tickwire/proto/service";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { assert, InvariantError } from "#core/assert.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ANYBODY } from "#test/support/principals.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import { bindService } from "../rpc/service-table.ts";
import type { RpcContext } from "../rpc/service-table.ts";
import type { HttpRequest } from "../transport/transport.ts";
import { PrincipalAccounts } from "../session/principal-accounts.ts";
import { Turns } from "../turns/turns.ts";
import type { AskedRequest } from "./asked-request.ts";
import { ConnectRpc } from "./connect-rpc.ts";

const method = (name: string, kind: "unary" | "server-streaming" = "unary") => ({
  name,
  fullName: `test.Service/${name}`,
  path: `/test.Service/${name}`,
  kind,
  idempotent: name !== "Refuses",
  request: GetServerTimeRequestCodec,
  response: GetServerTimeResponseCodec,
});

/** What a handler may add to its answer. */
type Additions = Readonly<Record<"responseHeaders" | "responseTrailers", Map<string, string[]>>>;

const SERVICE = {
  typeName: "test.Service",
  methods: {
    time: method("Time"),
    waits: method("Waits"),
    refuses: method("Refuses"),
    fails: method("Fails"),
    asserts: method("Asserts"),
    adds: method("Adds"),
    much: { ...method("Much"), response: GetTradesRequestCodec },
    streams: method("Streams", "server-streaming"),
  },
};

let clock: ManualClock;
let registry: Registry;
let contexts: RpcContext[];
let internal: unknown[];
let rpc: ConnectRpc;

beforeEach(() => {
  clock = new ManualClock();
  registry = new Registry();
  contexts = [];
  internal = [];
  const note = (context: RpcContext) => contexts.push(context);
  const services = bindService(SERVICE, {
    time: (_: unknown, context: RpcContext) => {
      note(context);
      return { serverTimeUs: 7 };
    },
    waits: (_: unknown, context: RpcContext) => {
      note(context);
      return new Promise(() => {});
    },
    refuses: () => {
      const detail = { reason: "TOO_EARLY", retryAfterMs: 5 };
      throw new RpcError("unavailable", "not yet", { detail });
    },
    fails: () => Promise.reject(new Error("secret")),
    asserts: () => assert(false, "it holds"),
    adds: (_: unknown, { responseHeaders, responseTrailers }: Additions) => {
      responseHeaders.set("x-one", ["1", "2"]);
      responseTrailers.set("x-two", ["3"]);
      return {};
    },
    much: () => ({ venue: "x".repeat(100) }),
    streams: () => [],
  });
  const metrics = createGatewayMetrics(registry);
  rpc = new ConnectRpc({
    services,
    accounts: new PrincipalAccounts(metrics),
    turns: new Turns({ clock, scheduler: { endOfTurn: () => {} } }),
    clock,
    metrics,
    limits: {
      callTimeoutMs: 1_000,
      callTimeoutMsMax: 2_000,
      streamTimeoutMsMax: 2_000,
      requestBytesMax: 1_000,
      compression: true,
      compressBytesMin: 100,
      requestsPerSecondMax: 100,
    },
    onInternalError: (name, error) => internal.push([name, error]),
  });
});

function request(
  path: string,
  more: {
    readonly headers?: Record<string, string>;
    readonly body?: string | Uint8Array;
  } & Partial<Pick<HttpRequest, "method" | "query" | "signal">> = {},
): AskedRequest {
  const headers = { "content-type": "application/json", ...more.headers };
  return {
    method: more.method ?? "POST",
    path,
    query: more.query ?? "",
    headers: new Map(Object.entries(headers)),
    remoteAddress: "203.0.113.9",
    principal: ANYBODY,
    body: typeof more.body === "object" ? more.body : Buffer.from(more.body ?? "{}"),
    signal: more.signal ?? new AbortController().signal,
  };
}

async function call(name: string, more: Parameters<typeof request>[1] = {}) {
  const answer = await rpc.serve(request(`/test.Service/${name}`, more));
  const body = typeof answer?.body === "string" ? answer.body : "not text";
  return { status: answer?.status, headers: answer?.headers, body };
}

/** Lets promises run: a fixed number of turns, no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

async function callsCounted(): Promise<unknown> {
  const metric = await registry.getSingleMetric("tickwire_gateway_calls_total")?.get();
  return metric?.values.map(({ labels, value }) => [labels["method"], labels["code"], value]);
}

test.each(["/", "/metrics", "/Service/Time", "/test.Service", "/test.Service/Time/x"])(
  "%s is not the path of an RPC",
  async (path) => {
    expect(await rpc.serve(request(path))).toBeUndefined();
  },
);

test("a handler gets the client's address and headers, and its answer is encoded as asked", async () => {
  const { status, headers, body } = await call("Time", { headers: { "x-key": "k" } });
  expect({ status, headers, body }).toEqual({
    status: 200,
    headers: { "content-type": "application/json", vary: "accept-encoding" },
    body: '{"serverTimeUs":"7"}',
  });
  expect(contexts[0]?.remoteAddress).toBe("203.0.113.9");
  expect(contexts[0]?.metadata.get("x-key")).toBe("k");
  const asProto = await rpc.serve(
    request("/test.Service/Time", {
      headers: { "content-type": "application/proto; charset=utf-8" },
      body: "",
    }),
  );
  expect(asProto?.headers["content-type"]).toBe("application/proto");
  expect(asProto?.body).toEqual(new Uint8Array([8, 7]));
  expect(await callsCounted()).toEqual([["Time", "ok", 2]]);
});

test("an empty JSON body is an empty request", async () => {
  expect((await call("Time", { body: "" })).status).toBe(200);
});

describe("a request that is not one is refused", () => {
  test.each([
    ["a method that is not there", "Nothing", {}, 404, "unimplemented"],
    ["DELETE", "Time", { method: "DELETE" }, 405, "unknown"],
    ["GET of what has side effects", "Refuses", { method: "GET" }, 405, "unknown"],
    ["GET of a stream", "Streams", { method: "GET" }, 405, "unknown"],
    ["GET without an encoding", "Time", { method: "GET", query: "message={}" }, 415, "unknown"],
    ["a stream without envelopes", "Streams", {}, 415, "unknown"],
    ["no content type", "Time", { headers: { "content-type": "" } }, 415, "unknown"],
    [
      "JSON that says that it is not UTF-8",
      "Time",
      { headers: { "content-type": "application/json; charset=latin1" } },
      415,
      "unknown",
    ],
    [
      "two content types",
      "Time",
      { headers: { "content-type": "application/json, application/proto" } },
      415,
      "unknown",
    ],
    ["not JSON", "Time", { body: "{" }, 400, "invalid_argument"],
    ["another field", "Time", { body: '{"x":1}' }, 400, "invalid_argument"],
    [
      "version 2",
      "Time",
      { headers: { "connect-protocol-version": "2" } },
      400,
      "invalid_argument",
    ],
    ["brotli", "Time", { headers: { "content-encoding": "br" } }, 501, "unimplemented"],
    ["no gzip", "Time", { headers: { "content-encoding": "gzip" } }, 400, "invalid_argument"],
    ["more than the limit", "Time", { body: " ".repeat(1_001) }, 429, "resource_exhausted"],
    [
      "a kilobyte that inflates to a megabyte",
      "Time",
      { headers: { "content-encoding": "gzip" }, body: gzipSync(Buffer.alloc(1_000_000)) },
      429,
      "resource_exhausted",
    ],
    ["no UTF-8", "Time", { body: Buffer.from([0x22, 0xff, 0x22]) }, 400, "invalid_argument"],
    ["a prototype", "Time", { body: '{"__proto__":{"x":1}}' }, 400, "invalid_argument"],
    ["a number beyond all", "Time", { body: "1e999" }, 400, "invalid_argument"],
    ["a long name", "Time", { body: `{"${"x".repeat(900)}":1}` }, 400, "invalid_argument"],
    ["deep brackets", "Time", { body: "[".repeat(1_000) }, 400, "invalid_argument"],
    ["a bad timeout", "Time", { headers: { "connect-timeout-ms": "-1" } }, 400, "invalid_argument"],
    [
      "a timeout of 11 digits",
      "Time",
      { headers: { "connect-timeout-ms": "10000000000" } },
      400,
      "invalid_argument",
    ],
  ])("%s", async (_, name, more, status, code) => {
    const answer = await call(name, more);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ code, message: expect.stringMatching(/.{5}/) });
    expect(contexts).toEqual([]);
    expect(internal).toEqual([]);
    // What was sent is never repeated at length.
    expect(answer.body.length).toBeLessThan(400);
  });
});

test("of a hundred bad fields twenty are named and the others counted", async () => {
  const fields = Array.from({ length: 100 }, (_, index) => [`x${index}`, 1]);
  const { status, body } = await call("Time", { body: JSON.stringify(Object.fromEntries(fields)) });
  expect(status).toBe(400);
  expect(body).toContain("x19 is not a field of ");
  expect(body).toContain("; and 80 more");
  expect(body).not.toContain("x20 ");
});

test("a refusal by method says which there are, one by type says which types", async () => {
  const options = await rpc.serve(request("/test.Service/Time", { method: "OPTIONS" }));
  expect([options?.status, options?.headers["allow"]]).toEqual([204, "GET, HEAD, POST, OPTIONS"]);
  expect((await call("Refuses", { method: "PUT" })).headers?.["allow"]).toBe("POST, OPTIONS");
  const typed = async (name: string) =>
    (await call(name, { headers: { "content-type": "text/plain" } })).headers?.["accept-post"];
  expect(await typed("Time")).toBe("application/json, application/proto");
  expect(await typed("Streams")).toBe("application/connect+json, application/connect+proto");
});

describe("what has no side effects may be asked by GET", () => {
  test.each(["GET", "HEAD"])("%s", async (httpMethod) => {
    const query = "encoding=json&message=%7B%7D&connect=v1";
    const { status, headers, body } = await call("Time", { method: httpMethod, query });
    expect([status, body]).toEqual([200, '{"serverTimeUs":"7"}']);
    expect(headers?.["cache-control"]).toBe("no-store");
  });
});

describe("gzip", () => {
  test("a compressed request is read", async () => {
    const headers = { "content-encoding": "gzip" };
    expect((await call("Time", { headers, body: gzipSync("{}") })).status).toBe(200);
  });

  test("an answer is compressed from the limit on, for who takes gzip", async () => {
    const ask = (name: string, headers: Record<string, string>) =>
      rpc.serve(request(`/test.Service/${name}`, { headers }));
    expect((await ask("Time", { "accept-encoding": "gzip" }))?.headers).not.toHaveProperty(
      "content-encoding",
    );
    expect((await ask("Much", {}))?.headers).not.toHaveProperty("content-encoding");
    const answer = await ask("Much", { "accept-encoding": "br, gzip;q=0.5" });
    expect(answer?.headers["content-encoding"]).toBe("gzip");
    const inflated = gunzipSync(answer?.body as Uint8Array).toString();
    expect(JSON.parse(inflated)).toEqual({ venue: "x".repeat(100) });
  });
});

test("what a handler adds goes out as headers, its trailers with a prefix", async () => {
  const { headers } = await call("Adds");
  expect(headers).toMatchObject({ "x-one": "1, 2", "trailer-x-two": "3" });
});

describe("the deadline", () => {
  test.each([
    ["none", {}, 1_000],
    ["a shorter one", { "connect-timeout-ms": "10" }, 10],
    ["one beyond the maximum", { "connect-timeout-ms": "5000" }, 2_000],
    ["0, which has passed", { "connect-timeout-ms": "0" }, 1],
  ])("of a request with %s", async (_, headers, timeoutMs) => {
    const answer = call("Waits", { headers });
    await settle();
    clock.advance(timeoutMs - 0.001);
    expect(contexts[0]?.signal.aborted).toBe(false);
    clock.advance(0.001);
    expect(contexts[0]?.signal.aborted).toBe(true);
    expect((await answer).status).toBe(504);
    expect(clock.pending).toBe(0);
  });
});

test("a client that goes away cancels its call", async () => {
  const client = new AbortController();
  const answer = call("Waits", { signal: client.signal });
  await settle();
  client.abort();
  expect(contexts[0]?.signal.aborted).toBe(true);
  expect((await answer).status).toBe(499);
  expect(await callsCounted()).toEqual([["Waits", "canceled", 1]]);
});

test("a refusal carries its code, message and detail", async () => {
  const { status, body } = await call("Refuses");
  expect(status).toBe(503);
  const { details, ...error } = JSON.parse(body) as { details: { type: string }[] };
  expect(error).toEqual({ code: "unavailable", message: "not yet" });
  expect(details.map(({ type }) => type)).toEqual(["tickwire.v1.ErrorDetail"]);
});

test("what a method does not foresee is answered without detail, and told to the log", async () => {
  const { status, body } = await call("Fails");
  expect(status).toBe(500);
  expect(body).toBe('{"code":"internal","message":"internal error"}');
  expect(internal).toEqual([["test.Service/Fails", new Error("secret")]]);
});

test("a broken invariant is not answered: it ends the process", async () => {
  await expect(call("Asserts")).rejects.toThrow(InvariantError);
});
