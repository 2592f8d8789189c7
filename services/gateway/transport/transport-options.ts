import { isNetwork } from "./peer-address.ts";
import { PROXY_HEADERS } from "./transport.ts";
import type { HttpLimits, TransportOptions } from "./transport.ts";

/** The options cannot be served; `key` names the wrong one. */
export class TransportOptionsError extends Error {
  readonly key: keyof TransportOptions;

  constructor(key: keyof TransportOptions, message: string, options?: ErrorOptions) {
    super(`${key}: ${message}`, options);
    this.name = "TransportOptionsError";
    this.key = key;
  }
}

/** What uWebSockets.js is given. */
export type UwsLimits = {
  readonly idleTimeoutSeconds: number;
  readonly maxPayloadLength: number;
  readonly maxBackpressure: number;
};

/** Room above `bufferedBytesMax` that only close, ping and pong frames may use. */
const CONTROL_FRAME_ROOM_BYTES = 64 * 1024;

/**
 * A message that came deflated is at most this long; above, the connection closes with 1009. `ws`
 * inflates before anybody can refuse, in a pool of few threads, and a thousand bytes may become a
 * million; clients send little.
 */
export const INFLATED_BYTES_MAX = 256 * 1024;

const HTTP_LIMITS = [
  "connectionsPerAddressMax",
  "bodyBytesMax",
  "bodyBytesPerAddressMax",
  "bodyTimeoutMs",
  "bodyBytesPerSecondMin",
  "requestsPerSecondMax",
  "requestsPerSecondPerAddressMax",
] as const satisfies readonly (keyof HttpLimits)[];

/** uWebSockets.js holds these sizes in 32 bits. */
const SIZE_MAX = 2 ** 31 - 1;

/**
 * Checks what both transports need.
 * @throws TransportOptionsError
 */
export function assertTransportOptions(options: TransportOptions): void {
  assertInteger(options, "port", 0, 65_535);
  assertInteger(options, "messageBytesMax", 1, SIZE_MAX);
  assertInteger(options, "requestBytesMax", 1, SIZE_MAX);
  assertInteger(options, "bufferedBytesMax", 1, SIZE_MAX - CONTROL_FRAME_ROOM_BYTES);
  assertInteger(options, "idleTimeoutMs", 0, Number.MAX_SAFE_INTEGER);
  assertInteger(options, "connectionsMax", 1, SIZE_MAX);
  for (const key of HTTP_LIMITS) {
    const value = options.http[key];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TransportOptionsError("http", `${key} ${value} is not a positive integer`);
    }
  }
  if (!options.path.startsWith("/")) {
    throw new TransportOptionsError("path", `"${options.path}" does not start with "/"`);
  }
  const wrong = options.trustedProxies.find((text) => !isNetwork(text));
  if (wrong !== undefined) {
    const message = `"${wrong}" is neither an IP address nor a network such as 10.0.0.0/8`;
    throw new TransportOptionsError("trustedProxies", message);
  }
  if (!PROXY_HEADERS.includes(options.proxyHeader)) {
    const message = `"${options.proxyHeader}" is none of ${PROXY_HEADERS.join(", ")}`;
    throw new TransportOptionsError("proxyHeader", message);
  }
}

/**
 * Checks what uWebSockets.js would end the process for, and converts it. Its timer counts whole
 * seconds, so the idle timeout is rounded up.
 * @throws TransportOptionsError
 */
export function uwsLimits(options: TransportOptions): UwsLimits {
  assertTransportOptions(options);
  const idleTimeoutSeconds = Math.ceil(options.idleTimeoutMs / 1000);
  if (idleTimeoutSeconds !== 0 && (idleTimeoutSeconds < 8 || idleTimeoutSeconds > 960)) {
    throw new TransportOptionsError(
      "idleTimeoutMs",
      `${options.idleTimeoutMs} is neither 0 nor between 8000 and 960000, which uWebSockets.js needs`,
    );
  }
  return {
    idleTimeoutSeconds,
    maxPayloadLength: options.messageBytesMax,
    maxBackpressure: options.bufferedBytesMax + CONTROL_FRAME_ROOM_BYTES,
  };
}

function assertInteger(
  options: TransportOptions,
  key:
    | "port"
    | "messageBytesMax"
    | "requestBytesMax"
    | "bufferedBytesMax"
    | "idleTimeoutMs"
    | "connectionsMax",
  low: number,
  high: number,
): void {
  const value = options[key];
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  throw new TransportOptionsError(key, `${value} is not an integer between ${low} and ${high}`);
}
