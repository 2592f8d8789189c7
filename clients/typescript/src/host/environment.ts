import { nextFrame } from "./next-frame.ts";
import { TIMER_MS_MAX } from "./option-checks.ts";
import { watchNetwork, watchVisibility, type NetworkChange } from "./page-events.ts";

/** Time as an argument, so that tests drive it. */
export type ClientClock = {
  /** Microseconds; only differences matter. */
  nowUs(): number;
  /**
   * Runs `callback` once after at least `delayMs`; the result cancels it and may be called again.
   */
  after(delayMs: number, callback: () => void): () => void;
};

/** What the client needs of a WebSocket: the part of the WHATWG interface that `ws` has as well. */
export type WebSocketLike = {
  /** Set to `arraybuffer`, unless it is `nodebuffer`. */
  binaryType: string;
  /** The subprotocol that the server chose. */
  readonly protocol: string;
  /** The handshake is done. */
  onopen: ((event: never) => void) | null;
  /** A message has come; `data` holds its bytes. */
  onmessage: ((event: never) => void) | null;
  /** Something went wrong; `error` may say what. `onclose` follows. */
  onerror: ((event: never) => void) | null;
  /** It is over, by `code` and `reason`. */
  onclose: ((event: never) => void) | null;
  /** Sends one binary message. */
  send(data: Uint8Array<ArrayBuffer>): void;
  /** Begins to close it. */
  close(code?: number, reason?: string): void;
};

/** A WebSocket class: the browser's, `ws`, or a double. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Makes the socket of one connection attempt. */
type WebSocketFactory = (
  url: string,
  protocols: string[],
  options: { readonly compression: boolean },
) => WebSocketLike;

/** Where sockets come from on a host that has none of its own. */
export type SocketHost = {
  readonly openWebSocket: WebSocketFactory;
  /** A sentence about why a socket could not be opened, or broke. */
  readonly explainFailure: (error: Error) => string;
};

/** What a client takes from its host before anything has gone wrong. */
export type BareEnvironment = {
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly openWebSocket: WebSocketFactory;
  /** A sentence about why a socket could not be opened, or broke. */
  readonly explainFailure: (error: Error) => string;
  /** Hands what a callback of the user threw to the host, as if nothing of ours were in between. */
  reportUncaught(error: unknown): void;
};

/** What every client takes from its host. */
export type HostEnvironment = BareEnvironment & {
  /** Calls `listener` on network changes until the result is called. */
  watchNetwork(listener: (change: NetworkChange) => void): () => void;
};

/** The same with what the client with streams of everything takes besides. */
export type Environment = HostEnvironment & {
  /**
   * Calls back when the page is drawn next, or after a while where nothing is drawn. The result
   * takes it back.
   */
  nextFrame(callback: () => void): () => void;
  /** Calls `listener` when the page is hidden or shown, until the result is called. */
  watchVisibility(listener: (isVisible: boolean) => void): () => void;
};

type HostGlobals = {
  readonly WebSocket?: WebSocketConstructor;
  readonly performance: { now(): number };
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
};

const host = globalThis as unknown as HostGlobals;

/** The host's. */
export const systemClock: ClientClock = {
  // Monotonic: a wall clock that is set back would make a silent connection look alive.
  nowUs: () => Math.round(host.performance.now() * 1_000),
  after(delayMs, callback) {
    const timer = host.setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX));
    return () => host.clearTimeout(timer);
  },
};

/** Replacements for parts of the host. */
type EnvironmentOptions = {
  readonly webSocket?: WebSocketConstructor | undefined;
  readonly clock?: ClientClock | undefined;
  readonly random?: (() => number) | undefined;
};

/** The host that the code runs in, for every client. */
export function createEnvironment(options: EnvironmentOptions, fallback?: SocketHost): Environment {
  return {
    ...createHostEnvironment(options, fallback),
    nextFrame: (callback) => nextFrame(options.clock ?? systemClock, callback),
    watchVisibility,
  };
}

/** The host that the code runs in, for every small client. */
export function createHostEnvironment(
  options: EnvironmentOptions,
  fallback?: SocketHost,
): HostEnvironment {
  return { ...createBareEnvironment(options, fallback), watchNetwork };
}

/**
 * The host that the code runs in, with the caller's replacements, else `fallback` for the socket.
 */
export function createBareEnvironment(
  options: EnvironmentOptions,
  fallback?: SocketHost,
): BareEnvironment {
  const { webSocket: Given } = options;
  return {
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    openWebSocket: Given
      ? (url, protocols) => new Given(url, protocols)
      : (fallback?.openWebSocket ?? openHostSocket),
    explainFailure: fallback?.explainFailure ?? ((error) => error.message),
    reportUncaught(error) {
      queueMicrotask(() => {
        throw error;
      });
    },
  };
}

function openHostSocket(url: string, protocols: string[]): WebSocketLike {
  const { WebSocket } = host;
  if (WebSocket !== undefined) return new WebSocket(url, protocols);
  throw new TypeError("this host has no WebSocket; pass one as options.webSocket");
}
