/**
 * The client without calls, for pages that make none.
 *
 * @module @tickwire/client/streams
 */
import type { Connect } from "./connect.ts";
import { createOpeningConnect } from "./opening/opening-connect.ts";
import { StreamsClient } from "./streams/streams-client.ts";
import type { StreamsConnectOptions } from "./streams/ticks-client.ts";
import { lateChannels } from "./topics/late-channels.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * Uses the host's WebSocket unless `options.webSocket` gives one. `ws://host:port` means its path
 * `/v1/ws`.
 */
export const connect: Connect<StreamsConnectOptions, StreamsClient> =
  /* @__PURE__ */ createOpeningConnect(
    (session, options) => new StreamsClient(session, lateChannels(session.link), options),
  );

export * from "./exports/streams.ts";
export type { StreamsClient } from "./streams/streams-client.ts";
export type { StreamsConnectOptions } from "./streams/ticks-client.ts";
