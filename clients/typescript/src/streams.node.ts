import type { Connect } from "./connect.ts";
import { createStreamsConnect } from "./streams-connect.ts";
import { StreamsClient } from "./streams/streams-client.ts";
import type { StreamsConnectOptions } from "./streams/ticks-client.ts";
import { ALL_CHANNELS } from "./topics/all-channels.ts";
import { ChannelSource } from "./topics/channel-source.ts";
import { nodeSockets } from "./host/node-web-socket.ts";

// All but connect(), which the declaration below replaces.
export * from "./streams.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the package `ws` unless `options.webSocket` gives a class. The path of the address is the
 * prefix below which a proxy serves the gateway: `https://host/md` means `wss://host/md/v1/ws`.
 */
export const connect: Connect<StreamsConnectOptions, StreamsClient> =
  /* @__PURE__ */ createStreamsConnect(
    (session, options) => new StreamsClient(session, new ChannelSource(ALL_CHANNELS), options),
    nodeSockets,
  );
