import { createConnect, type Connect } from "./connect.ts";
import { createRpcClient, type RpcClient, type RpcConnectOptions } from "./rpc/rpc-client.ts";
import { openNodeWebSocket } from "./host/node-web-socket.ts";

// All but connect(), which the declaration below replaces.
export * from "./rpc.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the package `ws` unless `options.webSocket` gives a class. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<RpcConnectOptions, RpcClient> = /* @__PURE__ */ createConnect(
  createRpcClient,
  openNodeWebSocket,
);
