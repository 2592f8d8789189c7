// A server of the Connect project's ConformanceService on our HTTP face, as the runner wants one:
// it reads one request from standard input, listens, and says where on standard output. Started
// with the transport (uws or node) and a file with the descriptors of the service's schema.
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Registry } from "prom-client";
import { AccessList } from "#gateway/access/access-list.ts";
import { Principal } from "#gateway/access/principal.ts";
import { ConnectRpc } from "#gateway/http/connect-rpc.ts";
import { HttpFace } from "#gateway/http/http-face.ts";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { PrincipalAccounts } from "#gateway/session/principal-accounts.ts";
import { createNodeTransport } from "#gateway/transport/node/transport.ts";
import { createUwsTransport } from "#gateway/transport/uws/transport.ts";
import { immediateScheduler } from "#gateway/turns/scheduler.ts";
import { Turns } from "#gateway/turns/turns.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { bindConformanceService } from "./service.mjs";

/** More than any message of the suites. */
const REQUEST_BYTES_MAX = 1_000_000;

/** What an envelope adds: a message just above the limit must reach the check that names it. */
const ENVELOPE_BYTES = 1_000;

const [kind, descriptors] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const schemaOf = (name) => registry.getMessage(`connectrpc.conformance.v1.${name}`);

const asked = fromBinary(schemaOf("ServerCompatRequest"), await readDelimited(process.stdin));
const requestBytesMax = asked.messageReceiveLimit || REQUEST_BYTES_MAX;
const clock = new SystemClock();
const metrics = createGatewayMetrics(new Registry());
const everybody = new Principal({
  kind: "anonymous",
  id: "anonymous",
  rights: new AccessList().rightsOf(["all"]),
});
const rpc = new ConnectRpc({
  services: bindConformanceService(registry),
  accounts: new PrincipalAccounts(metrics),
  turns: new Turns({ clock, scheduler: immediateScheduler }),
  clock,
  metrics,
  limits: {
    callTimeoutMs: 10_000,
    callTimeoutMsMax: 60_000,
    streamTimeoutMsMax: 60_000,
    requestBytesMax,
    requestsPerSecondMax: 100_000,
    compression: true,
    compressBytesMin: 1,
  },
  onInternalError: (method, error) => process.stderr.write(`${method} failed: ${error.stack}\n`),
});
const face = new HttpFace({
  rpc,
  streams: { serve: () => Promise.resolve(undefined) },
  pathPrefix: "",
  webSocketPath: "/v1/ws",
  serverVersion: "0",
});
const transport = await (kind === "uws" ? createUwsTransport : createNodeTransport)(
  {
    host: "127.0.0.1",
    port: 0,
    path: "/v1/ws",
    ...tlsOptions(),
    messageBytesMax: REQUEST_BYTES_MAX,
    requestBytesMax: requestBytesMax + ENVELOPE_BYTES,
    bufferedBytesMax: 4 * REQUEST_BYTES_MAX,
    idleTimeoutMs: 60_000,
    compression: false,
    connectionsMax: 1_000,
    http: {
      connectionsPerAddressMax: 1_000,
      bodyBytesMax: 100 * REQUEST_BYTES_MAX,
      bodyBytesPerAddressMax: 100 * REQUEST_BYTES_MAX,
      bodyTimeoutMs: 20_000,
      bodyBytesPerSecondMin: 1,
      requestsPerSecondMax: 100_000,
      requestsPerSecondPerAddressMax: 100_000,
    },
    trustedProxies: [],
    proxyHeader: "x-forwarded-for",
  },
  {
    onUpgrade: () => ({ kind: "refuse", response: { status: 400, headers: {}, body: "" } }),
    onRefused: () => {},
    onConnection: () => {
      throw new Error("no WebSocket is accepted");
    },
    onHttp: (request) => face.serve({ ...request, principal: everybody }),
  },
);
writeDelimited(
  toBinary(schemaOf("ServerCompatResponse"), {
    $typeName: "connectrpc.conformance.v1.ServerCompatResponse",
    host: "127.0.0.1",
    port: transport.port,
    pemCert: asked.serverCreds?.cert ?? new Uint8Array(),
  }),
);

/** The runner brings a certificate and its key; a transport reads them from files. */
function tlsOptions() {
  if (!asked.useTls) return {};
  const folder = mkdtempSync(join(tmpdir(), "tickwire-conformance-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  process.on("SIGTERM", () => process.exit(0));
  const certFile = join(folder, "cert.pem");
  const keyFile = join(folder, "key.pem");
  writeFileSync(certFile, asked.serverCreds.cert);
  writeFileSync(keyFile, asked.serverCreds.key);
  return { tls: { certFile, keyFile } };
}

/** One message behind its length, in four bytes. The stream stays open. */
async function readDelimited(stream) {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) break;
  }
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}

function writeDelimited(message) {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(message.length);
  process.stdout.write(Buffer.concat([head, message]));
}
