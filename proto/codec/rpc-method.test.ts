import { MarketData, createMarketDataClient } from "@tickwire/proto/service";
import type { MarketDataHandlers, ServerStreamCall, UnaryCall } from "@tickwire/proto/service";
import { expect, test } from "vitest";

const methods = Object.values(MarketData.methods);

test("every method has its names and its codecs", () => {
  expect(methods).toHaveLength(8);
  for (const method of methods) {
    expect(method.fullName).toBe(`tickwire.v1.MarketData/${method.name}`);
    expect(method.path).toBe(`/${method.fullName}`);
    expect(method.request.name).toBe(`tickwire.v1.${method.name}Request`);
    expect(method.response.name).toBe(`tickwire.v1.${method.name}Response`);
  }
});

test("what has no side effects may be asked again", () => {
  const others = methods.filter(({ idempotent }) => !idempotent).map(({ name }) => name);
  expect(others).toEqual(["Replay"]);
});

/** Carries calls through bytes to handlers, as a transport would. */
function loopback(handlers: Pick<MarketDataHandlers<string>, "getServerTime" | "replay">): {
  call: UnaryCall<string>;
  serverStream: ServerStreamCall<string>;
} {
  return {
    call: async (method, request, options) => {
      const decoded = method.request.decode(method.request.encode(request));
      const response = await handlers.getServerTime(decoded as never, options ?? "none");
      return method.response.decode(method.response.encode(response as never));
    },
    serverStream: async function* (method, request, options) {
      const decoded = method.request.decode(method.request.encode(request));
      for await (const response of handlers.replay(decoded as never, options ?? "none")) {
        yield method.response.decode(method.response.encode(response as never));
      }
    },
  };
}

test("the stub carries requests, options and responses of both kinds of method", async () => {
  const seen: unknown[] = [];
  const { call, serverStream } = loopback({
    getServerTime: (_, context) => {
      seen.push(context);
      return { serverTimeUs: 5 };
    },
    replay: async function* (request, context) {
      const nothing = { breaks: [], topics: [] };
      seen.push(context, request.topic);
      yield { batches: [Uint8Array.of(1)], batch: undefined, ...nothing };
      yield { batches: [], batch: undefined, ...nothing };
    },
  });
  const client = createMarketDataClient(call, serverStream);
  await expect(client.getServerTime({}, "first")).resolves.toEqual({ serverTimeUs: 5 });
  const given: unknown[] = [];
  for await (const { batches } of client.replay({ topic: "a:B/trades" })) given.push(batches);
  expect(given).toEqual([[Uint8Array.of(1)], []]);
  expect(seen).toEqual(["first", "none", "a:B/trades"]);
});
