/**
 * The client of trades and quotes only.
 *
 * @module @tickwire/client/ticks
 */
import { createConnect, type Connect } from "./connect.ts";
import {
  createTicksClient,
  type StreamsConnectOptions,
  type TicksClient,
} from "./streams/ticks-client.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the host's WebSocket unless `options.webSocket` gives one. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<StreamsConnectOptions, TicksClient> =
  /* @__PURE__ */ createConnect(createTicksClient);

export * from "./exports/ticks.ts";
export type { StreamsConnectOptions, TicksClient } from "./streams/ticks-client.ts";
