/**
 * The client of trades and quotes only.
 *
 * @module @tickwire/client/ticks
 */
import type { Connect } from "./connect.ts";
import { createOpeningConnect } from "./opening/opening-connect.ts";
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
  /* @__PURE__ */ createOpeningConnect(createTicksClient);

export * from "./exports/ticks.ts";
export type { StreamsConnectOptions, TicksClient } from "./streams/ticks-client.ts";
