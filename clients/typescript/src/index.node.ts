import type { Connect } from "./connect.ts";
import { createStreamsConnect } from "./streams-connect.ts";
import type { Client, ConnectOptions } from "./client.ts";
import { createClient } from "./eager-client.ts";
import { nodeSockets } from "./host/node-web-socket.ts";

// All but connect(), which the declaration below replaces.
export * from "./index.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the package `ws` unless `options.webSocket` gives a class. The path of the address is the
 * prefix below which a proxy serves the gateway: `https://host/md` means `wss://host/md/v1/ws`.
 */
export const connect: Connect<ConnectOptions, Client> = /* @__PURE__ */ createStreamsConnect(
  createClient,
  nodeSockets,
);
