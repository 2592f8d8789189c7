/**
 * The client of calls only.
 *
 * @module @tickwire/client/rpc
 */
import { createConnect, type Connect } from "./connect.ts";
import { createRpcClient, type RpcClient, type RpcConnectOptions } from "./rpc/rpc-client.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the host's WebSocket unless `options.webSocket` gives one. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<RpcConnectOptions, RpcClient> =
  /* @__PURE__ */ createConnect(createRpcClient);

export * from "./exports/rpc.ts";
export type { RpcClient, RpcConnectOptions } from "./rpc/rpc-client.ts";
