import { afterEach, expect, test, vi } from "vitest";
import { FakeGateway } from "../../test/fake-gateway.ts";
import { connectShared } from "./connect-shared.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A host whose workers fail to load at a certain time; the page then has its own connection. */
function failingWorkers(failWith: (fail: () => void) => void): void {
  vi.stubGlobal(
    "SharedWorker",
    class {
      onerror: ((event: unknown) => void) | null = null;
      readonly port = { onmessage: null, postMessage() {}, close() {} };

      constructor() {
        failWith(() => this.onerror?.({}));
      }
    },
  );
}

test.each([
  ["at once", (fail: () => void) => queueMicrotask(fail)],
  ["after a while", (fail: () => void) => void setImmediate(fail)],
])(
  "a worker whose script fails %s leaves the page with a connection of its own",
  async (_, fail) => {
    failingWorkers(fail);
    const gateway = new FakeGateway();
    const options = { workerUrl: "/none.js", webSocket: gateway.WebSocket };
    const client = await connectShared("ws://gateway.test", options);
    expect(client.state).toBe("connected");
    expect(gateway.sockets).toHaveLength(1);
    client.close();
  },
);
