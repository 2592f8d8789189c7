import type { Connect } from "./connect.ts";
import { createStreamsConnect } from "./streams-connect.ts";
import {
  createTicksClient,
  type StreamsConnectOptions,
  type TicksClient,
} from "./streams/ticks-client.ts";
import { nodeSockets } from "./host/node-web-socket.ts";

// All but connect(), which the declaration below replaces.
export * from "./ticks.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the package `ws` unless `options.webSocket` gives a class. The path of the address is the
 * prefix below which a proxy serves the gateway: `https://host/md` means `wss://host/md/v1/ws`.
 */
export const connect: Connect<StreamsConnectOptions, TicksClient> =
  /* @__PURE__ */ createStreamsConnect(createTicksClient, nodeSockets);
