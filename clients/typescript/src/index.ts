/**
 * The client of a gateway: streams of every channel, and calls.
 *
 * @module @tickwire/client
 */
import type { Client, ConnectOptions } from "./client.ts";
import type { Connect } from "./connect.ts";
import { createClient } from "./late-client.ts";
import { createOpeningConnect } from "./opening/opening-connect.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the host's WebSocket unless `options.webSocket` gives one. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<ConnectOptions, Client> =
  /* @__PURE__ */ createOpeningConnect(createClient);

export * from "./exports/rpc.ts";
export * from "./exports/streams.ts";
export type { Client, ConnectOptions } from "./client.ts";
export type { ReplayEvent, ReplayOptions } from "./replay/replay-options.ts";
