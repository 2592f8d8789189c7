import { createConnect, type Connect } from "./connect.ts";
import {
  createStreamsClient,
  type StreamsClient,
  type StreamsConnectOptions,
} from "./streams/streams-client.ts";
import { openNodeWebSocket } from "./host/node-web-socket.ts";

// All but connect(), which the declaration below replaces.
export * from "./streams.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the package `ws` unless `options.webSocket` gives a class. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<StreamsConnectOptions, StreamsClient> = /* @__PURE__ */ createConnect(
  createStreamsClient,
  openNodeWebSocket,
);
