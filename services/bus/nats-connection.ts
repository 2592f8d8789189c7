import {
  AuthorizationError,
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  type ConnectionOptions,
  type NatsConnection,
  type TlsOptions,
} from "@nats-io/transport-node";
import { backoffDelayMs, type BackoffLimits } from "@tickwire/proto/model";
import { BusError } from "./bus.ts";

/** Where a NATS server is, and how the connection to it is kept. */
export type NatsConnectionOptions = {
  /** `host:port` or `nats://host:port`; several for a cluster. */
  readonly servers: string | readonly string[];
  /** Seen in the server's monitoring. */
  readonly name?: string;
  readonly token?: string;
  readonly user?: string;
  readonly pass?: string;
  /** The seed of a user's nkey. */
  readonly nkeySeed?: string;
  /** The text of a .creds file; called at each attempt, so that a renewed file is taken. */
  readonly credentials?: () => Uint8Array;
  readonly tls?: TlsOptions;
  /** For each attempt to connect. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Keep trying if no server answers at the start, instead of rejecting. Default false. */
  readonly waitOnFirstConnect?: boolean;
  /** Between pings; two that are not answered mean that the connection is dead. Default 5,000. */
  readonly pingIntervalMs?: number;
  readonly reconnectBackoff?: BackoffLimits;
  /** In [0, 1), for the jitter of reconnects; default Math.random. */
  readonly random?: () => number;
};

/** Attempts to reconnect since the connection was last there. */
export type ReconnectAttempts = { count: number };

const NATS_RECONNECT_BACKOFF: BackoffLimits = { baseMs: 100, maxMs: 5_000 };
const CONNECT_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 5_000;

/**
 * Connects to a NATS server. From then on the connection reconnects for ever, with full jitter; the
 * caller counts the attempts, from which the waits follow. Rejects with BusError: `connect-failed`
 * if no server can be reached, `connect-refused` if one does not let us in or an address is
 * malformed.
 */
export async function openNatsConnection(
  options: NatsConnectionOptions,
  attempts: ReconnectAttempts,
): Promise<NatsConnection> {
  try {
    return await connect(toConnectionOptions(options, attempts));
  } catch (cause) {
    const servers = [options.servers].flat().join(", ");
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isFinal = cause instanceof AuthorizationError || cause instanceof TypeError;
    const code = isFinal ? "connect-refused" : "connect-failed";
    throw new BusError(code, `cannot connect to ${servers}: ${reason}`, { cause });
  }
}

function toConnectionOptions(
  options: NatsConnectionOptions,
  attempts: ReconnectAttempts,
): ConnectionOptions {
  const limits = options.reconnectBackoff ?? NATS_RECONNECT_BACKOFF;
  const random = options.random ?? Math.random;
  const { servers } = options;
  return {
    servers: typeof servers === "string" ? servers : [...servers],
    noEcho: false,
    reconnect: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    maxPingOut: 2,
    timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    pingInterval: options.pingIntervalMs ?? PING_INTERVAL_MS,
    waitOnFirstConnect: options.waitOnFirstConnect ?? false,
    reconnectDelayHandler: () => backoffDelayMs({ attempt: attempts.count, limits, random }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.pass === undefined ? {} : { pass: options.pass }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...authenticatorOf(options),
  };
}

function authenticatorOf({
  nkeySeed,
  credentials,
}: NatsConnectionOptions): Pick<ConnectionOptions, "authenticator"> {
  if (credentials !== undefined) return { authenticator: credsAuthenticator(credentials) };
  if (nkeySeed === undefined) return {};
  return { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkeySeed)) };
}
