import { Buffer } from "node:buffer";
import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { TransportStand } from "./transport-stand.ts";
import type { CreateTransport } from "./transport-stand.ts";

/** What both transports promise of plain HTTP. */
export function transportHttpSuite(name: string, create: CreateTransport): void {
  describe(`${name} transport, HTTP`, () => {
    const stand = new TransportStand(create);
    const { start } = stand;
    afterEach(() => stand.stop());

    test("gives the handler method, path, query, headers and the whole body", async () => {
      const { recorder, url } = await start();
      const response = await fetch(`${url}/a/b?c=d&e=f`, {
        method: "POST",
        headers: { "X-Mixed-Case": "Yes" },
        body: Buffer.alloc(9_999, 1),
      });
      expect(await response.text()).toBe("POST 9999");
      expect(response.headers.get("x-path")).toBe("/a/b");
      expect(response.headers.get("x-query")).toBe("c=d&e=f");
      expect(recorder.requests[0]?.headers.get("x-mixed-case")).toBe("Yes");
      expect(recorder.requests[0]?.remoteAddress).toBe("127.0.0.1");
      expect(recorder.requests[0]?.body.every((byte) => byte === 1)).toBe(true);
    });

    test("shows every value of a repeated header", async () => {
      const { recorder, transport } = await start();
      const asked = request({ host: "127.0.0.1", port: transport.port });
      // Those that node:http would show once, and one that it would not.
      for (const name of ["Authorization", "Content-Type", "From", "X-Any"]) {
        asked.setHeader(name, ["one", "two"]);
      }
      asked.setHeader("Cookie", ["a=1", "b=2"]);
      asked.end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      response.resume();
      const headers = recorder.requests[0]?.headers;
      for (const name of ["authorization", "content-type", "from", "x-any"]) {
        expect([name, headers?.get(name)]).toEqual([name, "one, two"]);
      }
      expect(headers?.get("cookie")).toBe("a=1; b=2");
    });

    test.each([
      ["x-forwarded-for", "203.0.113.9"],
      ["forwarded", "2001:db8::1"],
    ] as const)(
      "a trusted proxy says in %s who a request comes from",
      async (proxyHeader, from) => {
        const { recorder, url } = await start({ trustedProxies: ["127.0.0.1"], proxyHeader });
        const headers = {
          "X-Forwarded-For": "203.0.113.9",
          Forwarded: 'for="[2001:db8::1]:4711";proto=https',
        };
        await fetch(url, { headers });
        expect(recorder.requests[0]?.remoteAddress).toBe(from);
      },
    );

    test("takes a body of which nothing comes with the headers", async () => {
      const { recorder, transport } = await start();
      const asked = request({ host: "127.0.0.1", port: transport.port, method: "POST" });
      asked.setHeader("Transfer-Encoding", "chunked");
      asked.flushHeaders();
      await once(asked, "socket");
      // The server has read the headers when it has answered a request that was sent after them.
      await (await fetch(`http://127.0.0.1:${transport.port}/later`)).text();
      asked.write("one,");
      await (await fetch(`http://127.0.0.1:${transport.port}/later`)).text();
      asked.end("two");
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      expect(text).toBe("POST 7");
      const whole = recorder.requests.find(({ method }) => method === "POST");
      expect(Buffer.from(whole?.body ?? []).toString()).toBe("one,two");
    });

    test("takes a body at requestBytesMax and answers 413 above, sized or chunked", async () => {
      const { recorder, url } = await start();
      const at = await fetch(url, { method: "POST", body: Buffer.alloc(10_000) });
      expect(at.status).toBe(200);
      const above = await fetch(url, { method: "POST", body: Buffer.alloc(10_001) });
      expect(above.status).toBe(413);
      expect(await above.json()).toMatchObject({ code: "resource_exhausted" });
      const stream = new ReadableStream({
        start(controller) {
          for (let index = 0; index < 11; index += 1) controller.enqueue(Buffer.alloc(1_000));
          controller.close();
        },
      });
      const init = { method: "POST", body: stream, duplex: "half" } as RequestInit;
      const chunked = await fetch(url, init);
      expect(chunked.status).toBe(413);
      expect(recorder.refused).toEqual(["requestBytesMax", "requestBytesMax"]);
      expect(recorder.requests).toHaveLength(1);
    });

    test("answers HEAD with the length and no body", async () => {
      const { url } = await start();
      const response = await fetch(url, { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe("6");
      expect(await response.text()).toBe("");
      const next = await fetch(url);
      expect(await next.text()).toBe("GET 0");
    });

    test("passes status, headers and binary bodies through", async () => {
      const { recorder, url } = await start();
      const body = Buffer.from([0, 255, 128, 10]);
      recorder.answer = () =>
        Promise.resolve({ status: 404, headers: { "content-type": "application/proto" }, body });
      const response = await fetch(`${url}/nothing`);
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/proto");
      expect(Buffer.from(await response.arrayBuffer())).toEqual(body);
    });

    test("a plain GET on the WebSocket path is a plain request", async () => {
      const { url } = await start();
      const response = await fetch(`${url}/v1/ws`);
      expect(response.status).toBe(200);
    });

    test("aborts the signal when the client goes away, and survives the late answer", async () => {
      const { recorder, url } = await start();
      let release: () => void = () => {};
      let entered: () => void = () => {};
      const inHandler = new Promise<void>((resolve) => {
        entered = resolve;
      });
      recorder.answer = async () => {
        entered();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return { status: 200, headers: {}, body: "late" };
      };
      const controller = new AbortController();
      const response = fetch(url, { signal: controller.signal }).catch(() => "aborted");
      await inHandler;
      const signal = recorder.requests[0]?.signal;
      const aborted = new Promise((resolve) => signal?.addEventListener("abort", resolve));
      controller.abort();
      expect(await response).toBe("aborted");
      await aborted;
      release();
      await nextTurn();
      recorder.answer = () => Promise.resolve({ status: 200, headers: {}, body: "next" });
      expect(await (await fetch(url)).text()).toBe("next");
    });
  });
}
