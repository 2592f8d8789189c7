import { createConnect, type Connect } from "./connect.ts";
import {
  createStreamsClient,
  type StreamsClient,
  type StreamsConnectOptions,
} from "./streams/streams-client.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the host's WebSocket unless `options.webSocket` gives one. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<StreamsConnectOptions, StreamsClient> =
  /* @__PURE__ */ createConnect(createStreamsClient);

export * from "./exports/streams.ts";
export type { StreamsClient, StreamsConnectOptions } from "./streams/streams-client.ts";
