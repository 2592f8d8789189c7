import type { BackoffOptions } from "./backoff.ts";
import {
  createEnvironment,
  type ClientClock,
  type Environment,
  type SocketHost,
  type WebSocketConstructor,
} from "./host/environment.ts";
import { ConnectionError } from "./errors.ts";
import { LateCode } from "./host/late-code.ts";
import {
  assertChoiceOption,
  assertIntegerOption,
  assertPathOption,
  TIMER_MS_MAX,
} from "./host/option-checks.ts";
import { ACCESS_MEMBERS, currentToken, type AccessToken } from "./session/access-token.ts";
import { CLIENT_NAME, CLIENT_VERSION } from "./session/greeting.ts";
import { Session } from "./session/session.ts";
import { streamUrl, WEB_SOCKET_PATH } from "./session/stream-url.ts";
import type { FetchLike } from "./transports/fetch-like.ts";
import { TransportChoice } from "./transports/transport-choice.ts";
import { TRANSPORT_KINDS, type TransportKind } from "./transports/transport-kind.ts";

/** Options of every `connect()`. Everything has a default; a value out of range is a RangeError. */
export type BaseConnectOptions = {
  /** Gives up connecting. Later it has no effect: use `client.close()`. */
  readonly signal?: AbortSignal | undefined;
  /** A WebSocket class. Default: the browser's; on Node, `ws`. */
  readonly webSocket?: WebSocketConstructor | undefined;
  /**
   * Waits between connection attempts, with full jitter; false never reconnects. Default 500 ms to
   * 20 s.
   */
  readonly reconnect?: Partial<BackoffOptions> | false | undefined;
  /** Keep trying when the first connection cannot be made. Default false: `connect()` rejects. */
  readonly waitForFirstConnect?: boolean | undefined;
  /** From the dial to the gateway's Welcome, per attempt. Default 10 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Shown to the gateway's operator. Default `tickwire-client-ts`. */
  readonly clientName?: string | undefined;
  /**
   * An API key or a token (JWT), for a gateway that asks who its clients are. A function is called
   * for every connection, and again before the access that its last token gave ends: the client
   * renews it on the connection that it has.
   */
  readonly token?: AccessToken | undefined;
  /** Whether large frames may come compressed. Default true. */
  readonly compression?: boolean | undefined;
  /**
   * About as much market data a second as the gateway is to send, before compression; where more
   * would come, it sends topics less often, and an event `conflation` says so. Default 0: no bound.
   */
  readonly bandwidthBytesPerSecondMax?: number | undefined;
  /** A Ping goes out after this much silence; 0 never. Default 15 000. */
  readonly pingIntervalMs?: number | undefined;
  /** The connection is given up after this much silence after a Ping. Default 10 000. */
  readonly pongTimeoutMs?: number | undefined;
  /**
   * The path of the gateway's WebSocket below the address, if its operator changed it. Default
   * `/v1/ws`.
   */
  readonly webSocketPath?: string | undefined;
  /**
   * What carries frames. `auto` begins with a WebSocket and falls back to Server-Sent Events, then
   * to long polling, where something on the way does not let it through; it goes back up without a
   * break as soon as it can. Default `auto`; `websocket` if `webSocket` gives a class.
   */
  readonly transport?: "auto" | TransportKind | undefined;
  /**
   * While a fallback carries the client, what is better is tried again after so long. Default
   * 60 000.
   */
  readonly retryTransportMs?: number | undefined;
  /** In place of the host's `fetch`, for what goes over HTTP. */
  readonly fetch?: FetchLike | undefined;
  /** For tests: time. */
  readonly clock?: ClientClock | undefined;
  /** For tests: jitter, in [0, 1). */
  readonly random?: (() => number) | undefined;
};

/** Several gateways that serve the same, for `connect()`. */
export type GatewayUrls = {
  /**
   * Their addresses, the preferred one first; at least one, each once. The client keeps the one
   * that works, and goes on to the next when it is lost.
   */
  readonly urls: readonly string[];
  /**
   * After so long at another one, goes back to the first, without a break, when it can be had.
   * Default 0: stays where it is.
   */
  readonly returnToFirstMs?: number | undefined;
};

/**
 * A `connect()`: resolves when the gateway has welcomed the client, rejects with ConnectionError.
 */
export type Connect<Options extends BaseConnectOptions, Client> = (
  gateways: string | GatewayUrls,
  options?: Options,
) => Promise<Client>;

/**
 * `connect()` of one kind of client on one host. `createClient` checks the options of its own,
 * throwing RangeError, and adds to the session what the client carries. `fallback` is where a
 * WebSocket comes from if the caller gives none; without it, from the host. `breaksBefore` are
 * WebSockets in a row that were of no use.
 */
export function createConnect<Options extends BaseConnectOptions, Client>(
  createClient: (session: Session, options: Options) => Client,
  fallback?: SocketHost,
  breaksBefore = 0,
): Connect<Options, Client> {
  return async (gateways, given) => {
    // Every option may be left out.
    const options = given ?? ({} as Options);
    assertBaseOptions(options);
    const { webSocket, clock, random } = options;
    const environment = createEnvironment({ webSocket, clock, random }, fallback);
    const session = createSession(gateways, options, environment, breaksBefore);
    const client = createClient(session, options);
    const { token } = options;
    if (typeof token === "function") await renewWith(session, token);
    await firstWelcome(session, options.signal);
    return client;
  };
}

function assertBaseOptions(options: BaseConnectOptions): void {
  const { reconnect } = options;
  const waitMs = { min: 1, max: TIMER_MS_MAX };
  assertIntegerOption("connectTimeoutMs", options.connectTimeoutMs, waitMs);
  assertIntegerOption("pingIntervalMs", options.pingIntervalMs, { ...waitMs, min: 0 });
  assertIntegerOption("pongTimeoutMs", options.pongTimeoutMs, waitMs);
  const bytes = { min: 0, max: Number.MAX_SAFE_INTEGER };
  assertIntegerOption("bandwidthBytesPerSecondMax", options.bandwidthBytesPerSecondMax, bytes);
  assertPathOption("webSocketPath", options.webSocketPath);
  assertChoiceOption("transport", options.transport, ["auto", ...TRANSPORT_KINDS]);
  assertIntegerOption("retryTransportMs", options.retryTransportMs, waitMs);
  if (reconnect === false || reconnect === undefined) return;
  assertIntegerOption("reconnect.baseMs", reconnect.baseMs, waitMs);
  assertIntegerOption("reconnect.maxMs", reconnect.maxMs, waitMs);
}

/** A session that is still to be started. Throws RangeError and ConnectionError for addresses. */
export function createSession(
  gateways: string | GatewayUrls,
  options: BaseConnectOptions,
  environment: Environment,
  breaksBefore = 0,
): Session {
  const { reconnect } = options;
  const { urls, returnToFirstMs } = typeof gateways === "string" ? { urls: [gateways] } : gateways;
  assertIntegerOption("returnToFirstMs", returnToFirstMs, { min: 0, max: TIMER_MS_MAX });
  const connection = {
    clientName: options.clientName ?? CLIENT_NAME,
    clientVersion: CLIENT_VERSION,
    token: options.token,
    compression: options.compression ?? true,
    bandwidthBytesPerSecondMax: options.bandwidthBytesPerSecondMax ?? 0,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    liveness: {
      pingIntervalMs: options.pingIntervalMs ?? 15_000,
      pongTimeoutMs: options.pongTimeoutMs ?? 10_000,
    },
  };
  const { transport = options.webSocket === undefined ? "auto" : "websocket" } = options;
  const choice = new TransportChoice({
    environment,
    connection,
    kinds: transport === "auto" ? TRANSPORT_KINDS : [transport],
    webSocketPath: options.webSocketPath ?? WEB_SOCKET_PATH,
    fetch: options.fetch,
    breaksBefore,
  });
  return new Session({
    environment,
    createConnection: (url, frames, handlers) => choice.createConnection({ url, frames, handlers }),
    urls: streamUrls(urls, options.webSocketPath),
    returnToFirstMs: returnToFirstMs ?? 0,
    retryTransportMs: options.retryTransportMs ?? 60_000,
    reconnect: reconnect === false ? false : { baseMs: 500, maxMs: 20_000, ...reconnect },
    waitForFirstConnect: options.waitForFirstConnect ?? false,
  });
}

/** Throws RangeError if there is none, and ConnectionError for one that is no address. */
function streamUrls(
  urls: readonly string[] | undefined,
  webSocketPath: string | undefined,
): string[] {
  // Whoever writes JavaScript may have named it otherwise.
  if (!urls?.length) throw new RangeError("urls is empty, and a client needs an address");
  return [...new Set(urls.map((url) => streamUrl(url, webSocketPath)))];
}

/** Only who has tokens that end loads what renews them. Rejects with ConnectionError. */
async function renewWith(session: Session, token: AccessToken): Promise<void> {
  const load = async () => (await import("./session/token-renewal.ts")).TokenRenewal;
  try {
    const TokenRenewal = await new LateCode(load, session.link).get();
    session.carry(new TokenRenewal(session.link, () => currentToken(token), ACCESS_MEMBERS));
  } catch (cause) {
    const message = "what renews tokens could not be loaded";
    session.close(message, cause);
    throw new ConnectionError("connect-failed", message, { retryable: true, cause });
  }
}

function firstWelcome(session: Session, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => session.close("connecting was given up by its signal", signal?.reason);
    const release = session.onState((state, { error }) => {
      if (state === "connecting") return;
      release();
      signal?.removeEventListener("abort", abort);
      if (state === "connected") resolve();
      else reject(error);
    });
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    else session.start();
  });
}
