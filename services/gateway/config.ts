import { z } from "zod";
import { isLoopbackHost } from "#core/host-name.ts";
import { accessConfigSchema, asksForProof } from "./access/access-config.ts";
import { isNetwork } from "./transport/peer-address.ts";
import { TRANSPORT_CHOICES } from "./transport/select-transport.ts";
import { PROXY_HEADERS } from "./transport/transport.ts";

const KIB = 1024;
const MIB = 1024 * 1024;

const count = (fallback: number, high: number = Number.MAX_SAFE_INTEGER) =>
  z.int().min(1).max(high).default(fallback);

const durationMs = (fallback: number, low = 1) =>
  z.int().min(low).max(86_400_000).default(fallback);

/**
 * Everything that can be set about a gateway. Units are in the names; every key has a default, so
 * `{}` is a valid configuration. Sizes are bytes.
 */
export const gatewayConfigSchema = z
  .strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
    port: z.int().min(0).max(65_535).default(8080).describe("0 picks a free one"),
    pathPrefix: z
      .string()
      .regex(/^(\/[\w.~-]+)*$/, "must be empty or like /market-data, without a slash at its end")
      .default("")
      .describe("stands before every path, for a proxy that passes its own prefix on"),
    allowAnonymous: z
      .boolean()
      .default(false)
      .describe(
        "serve clients that prove nothing, beyond loopback or where others prove who they are",
      ),
    access: accessConfigSchema.prefault({}),
    tls: z
      .strictObject({
        certFile: z
          .string()
          .min(1)
          .optional()
          .describe(
            "PEM file of the certificate and its chain: serves https and wss, with keyFile",
          ),
        keyFile: z.string().min(1).optional().describe("PEM file of its private key"),
        passphrase: z.string().min(1).optional().describe("of the key, if it is encrypted"),
        clientCaFile: z
          .string()
          .min(1)
          .optional()
          .describe("PEM file of authorities: clients show a certificate that one has signed"),
        clientCertificates: z
          .enum(["required", "optional"])
          .default("required")
          .describe("whether a client without a certificate is served, with clientCaFile"),
        reloadMs: durationMs(5_000, 50).describe("the files are looked at so often for changes"),
      })
      .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
        path: ["certFile"],
        error: "and keyFile are needed together",
      })
      .refine(
        ({ certFile, clientCaFile }) => certFile !== undefined || clientCaFile === undefined,
        {
          path: ["clientCaFile"],
          error: "needs certFile and keyFile",
        },
      )
      .prefault({}),
    hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "names that the gateway is reached as, besides `host` and loopback; `*` is any; others: 421",
      ),
    origins: z
      .array(
        z
          .string()
          .regex(/^(\*|null|[a-z][a-z\d+.-]*:\/\/[^/\s]+)$/i, "is no origin (https://HOST or *)"),
      )
      .default([])
      .describe(
        "web pages that may use the gateway, besides its own and loopback's; `*` is any; others: 403",
      ),
    webSocketPath: z.string().startsWith("/").default("/v1/ws"),
    dashboard: z.boolean().default(true).describe("serve the dashboard to browsers at /"),
    transport: z.enum(TRANSPORT_CHOICES).default("auto").describe("what serves the sockets"),
    workers: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe("threads that serve the port; 1 is the process itself, without threads"),
    workerRingBytes: z
      .int()
      .min(256 * KIB)
      .max(1024 * MIB)
      .refine((bytes) => Number.isInteger(Math.log2(bytes)), "must be a power of two")
      .default(4 * MIB)
      .describe("messages of the bus that wait for one worker; above: it misses some, and asks"),
    workerSilentMsMax: z
      .int()
      .min(0)
      .refine((ms) => ms === 0 || ms >= 500, "must be 0 or at least 500")
      .default(10_000)
      .describe(
        "a worker whose event loop does not turn for so long is ended; 0: it is waited for",
      ),

    trustedProxies: z
      .array(z.string().refine(isNetwork, "is neither an IP address nor a network (10.0.0.0/8)"))
      .default([])
      .describe("addresses and networks of proxies that are believed when they name a client"),
    proxyHeader: z
      .enum(PROXY_HEADERS)
      .default("x-forwarded-for")
      .describe("the header in which they name it; they must write it themselves"),

    connectionsMax: count(10_000, 1_000_000).describe(
      "sockets of any kind; above: 503, and far above a cut",
    ),
    connectionsPerAddressMax: count(2_000, 1_000_000).describe(
      "sockets of one address (IPv6: of one /64); above: 429, and far above a cut",
    ),
    httpRequestsPerSecondMax: count(20_000, 10_000_000).describe(
      "HTTP requests and upgrades, in bursts twice as many; above: 503",
    ),
    httpRequestsPerSecondPerAddressMax: count(1_000, 10_000_000).describe(
      "those of one address; above: 429",
    ),
    httpBodyBytesMax: count(64 * MIB, 16 * 1024 * MIB).describe(
      "HTTP bodies in memory at once; above: 503",
    ),
    httpBodyBytesPerAddressMax: count(16 * MIB, 16 * 1024 * MIB).describe(
      "those of one address; above: 429",
    ),
    httpBodyTimeoutMs: durationMs(20_000).describe("a body that has not come by then: 408"),
    httpBodyBytesPerSecondMin: count(1_024, MIB).describe(
      "a body that comes slower after its first 5 s: 408",
    ),
    idleTimeoutMs: z
      .int()
      .min(8_000)
      .max(960_000)
      .default(60_000)
      .describe("a connection silent for this long is cut; pings are sent before"),
    helloTimeoutMs: durationMs(10_000).describe("no Hello by then: close code 4005"),
    frameBytesMax: count(256 * KIB, 16 * MIB).describe(
      "a larger client frame: close code 4502; twice as much is inflated before it is seen",
    ),
    frameFieldsMax: count(40_000, MIB).describe(
      "fields of a client frame at every depth, counted before it is decoded; above: code 4502",
    ),
    frameMessagesMax: count(1_000, MIB).describe("messages of a client frame; above: code 4502"),
    requestBytesMax: count(MIB, 64 * MIB).describe("a larger HTTP body: 413"),

    subscriptionsMax: count(5_000, 1_000_000).describe(
      "topics of one session; who has so many names each and its pattern again when it comes back",
    ),
    topicsPerRequestMax: count(1_000, 1_000_000).describe("topics of one subscribe request"),
    requestsPerSecondMax: count(500, 1_000_000).describe(
      "above: refused, and who goes on is closed with 4004; so count 16 KiB of frames and 500 fields",
    ),
    topicsPerSecondMax: count(20_000, 10_000_000).describe(
      "topics that the requests of a session name, patterns counted by what they match; above: as requests",
    ),
    concurrentCallsMax: count(64, 100_000).describe("RPCs in flight on one session"),
    callTimeoutMs: durationMs(10_000).describe("deadline of an RPC that names none"),
    callTimeoutMsMax: durationMs(60_000).describe("longest deadline that an RPC may have"),
    streamTimeoutMsMax: durationMs(3_600_000).describe(
      "longest that an RPC whose answer streams may go on; without a deadline of its own it may",
    ),
    replaysMax: z.int().min(0).max(10_000).default(32).describe("replays under way at once"),

    compression: z
      .boolean()
      .default(true)
      .describe("negotiate permessage-deflate; frames are compressed while there is time for it"),
    compressBytesMin: count(2 * KIB, 16 * MIB).describe("smaller frames are never compressed"),
    outboundBytesMax: count(8 * MIB, 512 * MIB).describe(
      "owed to one session; above: trades are given up, which it is told, else code 4001",
    ),
    bandwidthBytesPerSecondMax: z
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .default(0)
      .describe("market data of one session; above: topics are sent less often, 0 is no bound"),
    lagNoticeMs: durationMs(5_000).describe("a session that is this much behind is told"),
    lagMsMax: durationMs(30_000).describe("a session that is this much behind: close code 4001"),
    flightBytesMax: count(16 * MIB, 512 * MIB).describe(
      "sent to one session and not acknowledged; less to one that acknowledges slowly",
    ),
    writeAheadBytesMax: count(MIB, 256 * MIB).describe("given to one socket before it drained"),
    flushIntervalMsMax: z
      .int()
      .min(0)
      .max(1_000)
      .default(0)
      .describe("longest wait for a flush, as long as the last took: saves CPU, costs latency"),

    streamHeartbeatMs: z
      .int()
      .min(100)
      .max(60_000)
      .default(5_000)
      .describe("a streamed answer in which nothing was sent for so long gets a sign of life"),
    pollWaitMsMax: durationMs(25_000).describe("longest wait of a long poll for news"),
    pollLingerMs: durationMs(30_000).describe(
      "a session of long polling that nobody polls for so long has ended",
    ),
    pollAnswerBytesMax: count(MIB, 64 * MIB).describe(
      "answer of a long poll; what was written last may exceed it",
    ),
    pollSessionsMax: count(2_000, 1_000_000).describe("sessions of long polling; above: 503"),
    pollSessionsPerAddressMax: count(500, 1_000_000).describe("those of one address; above: 429"),

    topicsMax: count(20_000, 1_000_000).describe(
      "topics that the gateway follows at once; the last eighth is for sessions that have few",
    ),
    viewsMax: count(20_000, 1_000_000).describe(
      "views made at once; above: a view that does for it, else the topic is refused for now",
    ),
    delayBytesMax: count(256 * MIB, 64 * 1024 * MIB).describe(
      "of topics that wait for clients who get them later; above: those miss a part and are told",
    ),
    topicLingerMs: durationMs(5_000, 0).describe("a topic without sessions is kept this long"),
    ringBytesMax: count(MIB, 256 * MIB).describe("recent batches kept of one topic"),
    ringBatchesMax: count(4_096, 1_000_000).describe("recent batches kept of one topic"),
    resumeBytesMax: z
      .int()
      .min(0)
      .max(512 * MIB)
      .default(8 * MIB)
      .describe("of one topic's past, beyond its ring, fetched for clients who come back; 0: none"),
    resumeTotalBytesMax: z
      .int()
      .min(0)
      .max(16 * 1024 * MIB)
      .default(128 * MIB)
      .describe("that of all topics together; above: those clients start anew, and are told"),
    queryTimeoutMs: durationMs(2_000).describe("answer of an ingestor"),
    queriesInFlightMax: count(64, 10_000).describe("snapshot queries to one venue at once"),

    instrumentsMax: count(200_000, 10_000_000).describe("instruments of all venues"),
    discoveryMs: durationMs(2_000, 0).describe(
      "after asking who is there, a venue without an answer counts as not ready, then as unknown",
    ),
    readyVenuesMin: z.int().min(0).max(1_000).default(1).describe("venues needed to be ready"),
    lameDuckMs: durationMs(3_000, 0).describe(
      "on shutdown the gateway is not ready for this long before it stops to listen",
    ),
    drainWindowMs: durationMs(5_000, 0).describe(
      "on shutdown a client has so long to leave by itself, from when it is told",
    ),
    drainClosesPerSecondMax: count(500, 1_000_000).describe(
      "on shutdown clients are closed at this rate at most, and told at seven tenths of it",
    ),
  })
  .refine((config) => config.lagNoticeMs < config.lagMsMax, {
    path: ["lagNoticeMs"],
    error: "must be less than lagMsMax",
  })
  .refine((config) => config.writeAheadBytesMax <= config.outboundBytesMax, {
    path: ["writeAheadBytesMax"],
    error: "must not exceed outboundBytesMax",
  })
  .refine(
    ({ host, allowAnonymous, access }) =>
      isLoopbackHost(host) || allowAnonymous || asksForProof(access),
    {
      path: ["host"],
      error:
        "is beyond loopback, where anybody could connect, since clients are not authenticated: " +
        "set gateway.access.file or gateway.access.tokens, or gateway.allowAnonymous " +
        "(--allow-anonymous) if that is meant",
    },
  )
  .refine(({ workers, transport }) => workers === 1 || transport !== "node", {
    path: ["workers"],
    error: "must be 1 with the transport node, which cannot hand connections to other threads",
  })
  .refine(({ workers, tls }) => workers === 1 || tls.clientCaFile === undefined, {
    path: ["workers"],
    error: "must be 1 with tls.clientCaFile, which needs the transport node",
  })
  .refine((config) => config.requestBytesMax <= config.httpBodyBytesPerAddressMax, {
    path: ["requestBytesMax"],
    error: "must not exceed httpBodyBytesPerAddressMax",
  })
  .refine((config) => config.httpBodyBytesPerAddressMax <= config.httpBodyBytesMax, {
    path: ["httpBodyBytesPerAddressMax"],
    error: "must not exceed httpBodyBytesMax",
  })
  .refine((config) => config.subscriptionsMax * 2 < config.topicsPerSecondMax, {
    path: ["subscriptionsMax"],
    error: "must be less than half of topicsPerSecondMax, or whoever has them cannot come back",
  })
  .refine((config) => config.callTimeoutMs <= config.callTimeoutMsMax, {
    path: ["callTimeoutMs"],
    error: "must not exceed callTimeoutMsMax",
  });

/** A whole, checked configuration. */
export type GatewayConfig = Readonly<z.infer<typeof gatewayConfigSchema>>;

/** The defaults with what is given in their place. @throws z.ZodError naming every bad key. */
export function gatewayConfig(given: z.input<typeof gatewayConfigSchema> = {}): GatewayConfig {
  return Object.freeze(gatewayConfigSchema.parse(given));
}
