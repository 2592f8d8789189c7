import { z } from "zod";
import { deriveConfigSchema } from "#derive/config.ts";
import { gatewayConfigSchema } from "#gateway/config.ts";
import { ingestConfigSchema } from "#ingest/config.ts";
import { LOG_LEVELS } from "#runtime/logger.ts";

/** Users and passwords have settings of their own, which the log leaves out. */
function isServerAddress(text: string): boolean {
  const address = /^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`;
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, pathname } = new URL(address);
  if (protocol !== "nats:" && protocol !== "tls:") return false;
  return hostname !== "" && username === "" && (pathname === "" || pathname === "/");
}

const busConfigSchema = z.strictObject({
  kind: z
    .enum(["memory", "nats"])
    .default("nats")
    .describe("what carries the events; memory works within one process only (dev)"),
  nats: z
    .strictObject({
      servers: z
        .array(z.string().refine(isServerAddress, "is not HOST:PORT or nats://HOST:PORT"))
        .min(1)
        .default(["nats://127.0.0.1:4222"])
        .describe(
          "addresses of any servers of the cluster; with TLS by the names in their certificates",
        ),
      user: z.string().min(1).optional().describe("with password"),
      password: z.string().min(1).optional().describe("with user"),
      token: z.string().min(1).optional().describe("instead of user and password"),
      nkeySeed: z
        .string()
        .regex(/^SU[A-Z2-7]{56}$/, "is not the seed of a user's nkey (SU and 56 more characters)")
        .optional()
        .describe("instead of a password: the seed of the user's nkey"),
      credentialsFile: z
        .string()
        .min(1)
        .optional()
        .describe("instead of a password: a .creds file with JWT and seed; read at each connect"),
      tls: z.boolean().default(false).describe("refuse a connection without TLS"),
      tlsCaFile: z
        .string()
        .min(1)
        .optional()
        .describe("PEM file of who signs the server's certificate, if not a public authority"),
      tlsCertFile: z.string().min(1).optional().describe("PEM file of our own, with tlsKeyFile"),
      tlsKeyFile: z.string().min(1).optional().describe("its private key, with tlsCertFile"),
      connectTimeoutMs: z
        .int()
        .min(0)
        .max(86_400_000)
        .default(60_000)
        .describe(
          "how long a start waits for a server; 0 tries once; a running process waits for ever",
        ),
    })
    .refine(({ user, password }) => password === undefined || user !== undefined, {
      path: ["user"],
      error: "is needed with password",
    })
    .refine(({ user, password }) => user === undefined || password !== undefined, {
      path: ["password"],
      error: "is needed with user",
    })
    .refine(
      ({ user, token, nkeySeed, credentialsFile }) =>
        [user, token, nkeySeed, credentialsFile].filter((way) => way !== undefined).length <= 1,
      { error: "has more than one of user, token, nkeySeed and credentialsFile" },
    )
    .refine(
      ({ tlsCertFile, tlsKeyFile }) => (tlsCertFile === undefined) === (tlsKeyFile === undefined),
      { path: ["tlsCertFile"], error: "and tlsKeyFile are needed together" },
    )
    .refine(
      ({ tls, tlsCaFile, tlsCertFile }) =>
        tls || (tlsCaFile === undefined && tlsCertFile === undefined),
      { path: ["tls"], error: "has to be true with certificates" },
    )
    .prefault({}),
});

const KIB = 1_024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;

const streamLogConfigSchema = z.strictObject({
  kind: z
    .enum(["off", "memory", "jetstream"])
    .default("off")
    .describe(
      "what keeps events beyond their publisher: nothing, the gateway's memory, or NATS JetStream",
    ),
  ageMsMax: z
    .int()
    .min(1_000)
    .max(315_360_000_000)
    .default(86_400_000)
    .describe("age up to which events are kept; older ones go"),
  memory: z
    .strictObject({
      bytesMax: z
        .int()
        .min(MIB)
        .max(64 * GIB)
        .default(128 * MIB)
        .describe("of all topics, with what keeping them costs; the oldest go"),
      topicBytesMax: z
        .int()
        .min(64 * KIB)
        .max(64 * GIB)
        .default(16 * MIB)
        .describe("of one topic; the oldest go"),
    })
    .refine(({ bytesMax, topicBytesMax }) => topicBytesMax <= bytesMax, {
      path: ["topicBytesMax"],
      error: "must not exceed bytesMax",
    })
    .prefault({}),
  jetStream: z
    .strictObject({
      storage: z
        .enum(["file", "memory"])
        .default("file")
        .describe("where the servers keep a stream; one that exists keeps what it has"),
      replicas: z
        .int()
        .min(1)
        .max(5)
        .default(1)
        .describe("copies of a stream; more than 1 needs a cluster"),
      bytesMax: z
        .int()
        .min(MIB)
        .max(1_024 * GIB)
        .default(4 * GIB)
        .describe("of the stream of one venue; the oldest go"),
      timeoutMs: z
        .int()
        .min(50)
        .max(60_000)
        .default(1_000)
        .describe("for an answer of JetStream; who waits for the past then starts anew"),
    })
    .prefault({}),
});

const adminConfigSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("address for health, readiness and metrics of every process"),
  hosts: z
    .array(z.string().min(1))
    .default([])
    .describe("names that it is reached as, besides `host` and loopback; `*` is any; others: 421"),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(9090)
    .describe(
      "its port; 0 picks a free one; `gateway` prefers 9091, `derive` 9093 and `dev` a free one",
    ),
  secret: z
    .string()
    .min(16)
    .optional()
    .describe(
      "bearer token for /admin/state; without one, only this machine is told, at 16 characters least",
    ),
});

const logConfigSchema = z.strictObject({
  level: z.enum(LOG_LEVELS).default("info").describe("least severe that is logged"),
});

const shutdownConfigSchema = z.strictObject({
  deadlineMs: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(25_000)
    .describe("the process ends after this long, even if something is still under way"),
});

/** Everything that can be set, for all processes: each uses its part of one tree. */
export const configSchema = z.strictObject({
  bus: busConfigSchema.prefault({}),
  streamLog: streamLogConfigSchema.prefault({}),
  ingest: ingestConfigSchema.prefault({}),
  derive: deriveConfigSchema.prefault({}),
  gateway: gatewayConfigSchema.prefault({}),
  admin: adminConfigSchema.prefault({}),
  log: logConfigSchema.prefault({}),
  shutdown: shutdownConfigSchema.prefault({}),
});
export type TickwireConfig = z.output<typeof configSchema>;
export type BusConfig = TickwireConfig["bus"];

/**
 * Variables with our prefix that are no settings: where the tests look for recordings, and what a
 * user's commands show to a gateway.
 */
export const IGNORED_VARIABLES: readonly string[] = ["TICKWIRE_CAPTURES", "TICKWIRE_TOKEN"];
