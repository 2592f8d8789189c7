import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TRANSPORT_FACTORIES } from "#test/support/transports.ts";
import { transportHttpSuite } from "./transport-http-suite.ts";
import { transportStreamSuite } from "./transport-stream-suite.ts";
import { transportTlsSuite } from "./transport-tls-suite.ts";
import { transportSuite } from "./transport-suite.ts";

const TRAITS = {
  uws: { idleTimeoutMs: 8_000, oversizedCodes: [1006] },
  node: { idleTimeoutMs: 400, oversizedCodes: [1006, 1009] },
};

for (const [name, create] of TRANSPORT_FACTORIES) {
  transportSuite(name, create, TRAITS[name]);
  transportHttpSuite(name, create);
  transportStreamSuite(name, create);
  transportTlsSuite(name, create);
}

/** What only uWebSockets.js has: one port for several threads. */
const OF_THREADS = ["acceptor.ts", "listen.ts"];

test("the two transports are made of the same files", () => {
  const folder = join(import.meta.dirname, "../../services/gateway/transport");
  const files = readdirSync(join(folder, "uws")).filter((name) => !OF_THREADS.includes(name));
  expect(files).toContain("transport.ts");
  expect(readdirSync(join(folder, "node"))).toEqual(files);
});
