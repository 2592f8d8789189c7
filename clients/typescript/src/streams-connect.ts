import { createConnect, type BaseConnectOptions, type Connect } from "./connect.ts";
import type { SocketHost } from "./host/environment.ts";
import { TICK_CHANNELS } from "./topics/tick-channels.ts";
import { withTopics, type TopicsSession } from "./topics/own-topics.ts";

/** `connect()` of one kind of client with topics, as `createConnect` makes it. */
export function createStreamsConnect<Options extends BaseConnectOptions, Client>(
  createClient: (session: TopicsSession, options: Options) => Client,
  fallback?: SocketHost,
): Connect<Options, Client> {
  return createConnect<Options, Client>(
    (session, options) => createClient(withTopics(session, TICK_CHANNELS), options),
    fallback,
  );
}
