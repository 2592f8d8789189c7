import type { BackoffOptions } from "../backoff.ts";
import type { ClientClock, WebSocketConstructor } from "../host/environment.ts";
import type { AccessToken } from "../session/access-token.ts";

/** What a small client is called by itself. */
export const LITE_CLIENT_NAME = "tickwire-client-lite";

/** Options of the small client. Everything has a default; a value out of range is a RangeError. */
export type LiteConnectOptions = {
  /** Gives up connecting. Later it has no effect: use `client.close()`. */
  readonly signal?: AbortSignal | undefined;
  /** A WebSocket class. Default: the host's; on Node, `ws`. */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** Waits between attempts, with full jitter; false never reconnects. Default 500 ms to 20 s. */
  readonly reconnect?: Partial<BackoffOptions> | false | undefined;
  /** From the dial to the gateway's Welcome, per attempt. Default 10 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Shown to the gateway's operator. Default `tickwire-client-lite`. */
  readonly clientName?: string | undefined;
  /** An API key or a token, or a function that gives one, called for every connection. */
  readonly token?: AccessToken | undefined;
  /** A Ping goes out after this much silence; 0 never. Default 15 000. */
  readonly pingIntervalMs?: number | undefined;
  /** The connection is given up after this much silence after a Ping. Default 10 000. */
  readonly pongTimeoutMs?: number | undefined;
  /** For tests: time. */
  readonly clock?: ClientClock | undefined;
  /** For tests: jitter, in [0, 1). */
  readonly random?: (() => number) | undefined;
};
