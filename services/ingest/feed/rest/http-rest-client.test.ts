import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { SystemClock } from "#runtime/system-clock.ts";
import { HttpStand } from "#test/support/http-stand.ts";
import type { RestAnswer } from "./rest-client.ts";
import type { RestRequest } from "../feed-adapter.ts";
import { createHttpRestClient, parseRetryAfter } from "./http-rest-client.ts";

const stand = new HttpStand();

afterEach(() => stand.stop());

describe("the REST client", () => {
  async function get(
    onRequest: (request: IncomingMessage, response: ServerResponse) => void,
    limits: Partial<Parameters<typeof createHttpRestClient>[0]> = {},
    asked: Pick<RestRequest, "method" | "body"> = {},
  ): Promise<RestAnswer | string> {
    const { port } = await stand.serve(onRequest);
    const clock = new SystemClock();
    const client = createHttpRestClient({
      clock,
      timeoutMs: 5_000,
      bodyBytesMax: 1_000,
      ...limits,
    });
    const url = `http://127.0.0.1:${port}/depth`;
    return await new Promise((resolve) =>
      client.get({ url, weight: 1, ...asked }, resolve, resolve),
    );
  }

  test("hands on any status with its body and the wish for a pause", async () => {
    const answer = await get((_request, response) => {
      response.writeHead(429, { "retry-after": "7" }).end('{"code":-1003}');
    });
    expect(answer).toMatchObject({ status: 429, body: '{"code":-1003}', retryAfterMs: 7_000 });
  });

  test("sends the venue's headers with each request", async () => {
    const echo = (request: IncomingMessage, response: ServerResponse): unknown =>
      response.end(`${String(request.headers["x-size"])} ${request.headers.accept}`);
    const answer = await get(echo, { headers: { "x-size": "1" } });
    expect(answer).toMatchObject({ body: "1 application/json" });
  });

  test.each([
    { method: "POST", body: '{"a":1}', seen: 'POST application/json {"a":1}' },
    { method: "POST", body: undefined, seen: "POST undefined " },
    { method: undefined, body: undefined, seen: "GET undefined " },
  ] as const)("asks with $method and $body", async ({ method, body, seen }) => {
    const asked = {
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
    };
    const answer = await get(
      (request, response) => {
        let text = "";
        request.on("data", (chunk: Buffer) => (text += chunk.toString()));
        request.on("end", () =>
          response.end(`${request.method} ${request.headers["content-type"]} ${text}`),
        );
      },
      {},
      asked,
    );
    expect(answer).toMatchObject({ status: 200, body: seen });
  });

  test("measures a wished date by the venue's clock, however far ours is ahead", async () => {
    const answer = await get((_request, response) => {
      const headers = {
        date: "Tue, 14 Nov 2000 22:13:20 GMT",
        "retry-after": "Tue, 14 Nov 2000 22:13:30 GMT",
      };
      response.writeHead(418, headers).end();
    });
    expect(answer).toMatchObject({ status: 418, retryAfterMs: 10_000 });
  });

  test("takes a body at the limit, and no byte more", async () => {
    const bodyOf = (bytes: number) => (_: IncomingMessage, response: ServerResponse) => {
      response.end("x".repeat(bytes));
    };
    expect(await get(bodyOf(1_000))).toMatchObject({ status: 200 });
    expect(await get(bodyOf(1_001))).toContain("exceeds bodyBytesMax 1000");
  });

  test("gives up an answer that does not come, and does not follow redirects", async () => {
    expect(await get(() => {}, { timeoutMs: 50 })).toContain("timeout");
    const redirected = await get((_request, response) => {
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    expect(typeof redirected).toBe("string");
  });

  test("ends what is under way when it is closed", async () => {
    const { port } = await stand.serve(() => client.close?.());
    const client = createHttpRestClient({
      clock: new SystemClock(),
      timeoutMs: 5e3,
      bodyBytesMax: 1e3,
    });
    const url = `http://127.0.0.1:${port}/`;
    const reason = await new Promise((resolve) => client.get({ url, weight: 1 }, resolve, resolve));
    expect(reason).toBe("closed");
  });
});

test.each([
  [undefined, undefined],
  ["", undefined],
  ["soon", undefined],
  ["0", 0],
  ["120", 120_000],
  ["1.5", 1_500],
  ["Tue, 14 Nov 2023 22:13:30 GMT", 10_000],
  ["Tue, 14 Nov 2023 22:13:00 GMT", 0],
])("Retry-After %s is %s ms", (header, expected) => {
  expect(parseRetryAfter(header, 1_700_000_000_000_000)).toBe(expected);
});
