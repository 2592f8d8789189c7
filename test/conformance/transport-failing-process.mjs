/**
 * A process with a transport whose handler throws in one callback, run by
 * transport-failure.test.ts: `node transport-failing-process.mjs uws|node CALLBACK`. It prints its
 * port, and it imports what is built.
 */
import { endOnFatalError } from "#runtime/fatal-error.ts";
import { createLogger } from "#runtime/logger.ts";
import { selectTransport } from "#gateway/transport/select-transport.ts";

const [choice, failing] = process.argv.slice(2);

const logger = createLogger({ level: "info", service: "test" });
endOnFatalError({ source: process, logger, exit: (code) => process.exit(code) });

function fail(callback) {
  if (callback === failing) throw new Error(`thrown in ${callback}`);
}

const handler = {
  onUpgrade({ remoteAddress, subprotocols: [subprotocol] }) {
    fail("onUpgrade");
    return { kind: "accept", context: { principal: "test", remoteAddress, subprotocol } };
  },
  onRefused: () => fail("onRefused"),
  onConnection(connection) {
    fail("onConnection");
    return {
      onMessage(data) {
        fail("onMessage");
        if (data.length === 0) while (connection.send(new Uint8Array(65_536), false) === "sent");
      },
      onDrain: () => fail("onDrain"),
      onClose: () => fail("onClose"),
    };
  },
  onHttp({ path }) {
    fail("onHttp");
    if (failing === "onHttp rejecting") {
      return Promise.reject(new Error("thrown in onHttp rejecting"));
    }
    if (path === "/stream") return Promise.resolve({ status: 200, headers: {}, body: { open } });
    return Promise.resolve({ status: 200, headers: {}, body: "" });
  },
};

function open(writer) {
  fail("stream open");
  while (writer.write(new Uint8Array(65_536)) === "sent");
  return {
    onDrain: () => fail("stream onDrain"),
    onClose: () => fail("stream onClose"),
  };
}

const transport = await selectTransport(
  { choice, onFallback: () => process.exit(3) },
  {
    host: "127.0.0.1",
    port: 0,
    path: "/v1/ws",
    messageBytesMax: 1_000,
    requestBytesMax: 1_000,
    bufferedBytesMax: 100_000_000,
    idleTimeoutMs: 60_000,
    compression: false,
    connectionsMax: 2,
    trustedProxies: [],
    proxyHeader: "x-forwarded-for",
    http: {
      connectionsPerAddressMax: 100,
      bodyBytesMax: 100_000,
      bodyBytesPerAddressMax: 100_000,
      bodyTimeoutMs: 20_000,
      bodyBytesPerSecondMin: 1_000,
      requestsPerSecondMax: 1_000,
      requestsPerSecondPerAddressMax: 1_000,
    },
  },
  handler,
);
process.stdout.write(`${transport.port}\n`);
