import { Client, type ConnectOptions } from "./client.ts";
import { replayLater } from "./replay/late-replay.ts";
import { LateCalls } from "./rpc/late-calls.ts";
import type { ClientSession } from "./session/client-session.ts";
import { lateChannels } from "./topics/late-channels.ts";

/**
 * The client of one session that loads the code of calls and replays, and of all channels but
 * trades and quotes, when it is first needed. Throws RangeError for a bad option.
 */
export function createClient(session: ClientSession, options: ConnectOptions): Client {
  return new Client(session, options, {
    channels: lateChannels(session.link),
    createCalls: (limits) => new LateCalls(session, limits),
    replay: replayLater(session.link),
  });
}
