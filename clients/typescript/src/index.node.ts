import { createConnect, type Connect } from "./connect.ts";
import { createClient, type Client, type ConnectOptions } from "./client.ts";
import { openNodeWebSocket } from "./host/node-web-socket.ts";

// All but connect(), which the declaration below replaces.
export * from "./index.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the package `ws` unless `options.webSocket` gives a class. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<ConnectOptions, Client> = /* @__PURE__ */ createConnect(
  createClient,
  openNodeWebSocket,
);
