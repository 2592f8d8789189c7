import { Client, type ConnectOptions } from "./client.ts";
import { replayLater } from "./replay/late-replay.ts";
import { LateCalls } from "./rpc/late-calls.ts";
import type { ClientSession } from "./session/client-session.ts";

/**
 * The client of one session that loads the code of calls and replays when they are first made.
 * Throws RangeError for a bad option.
 */
export function createClient(session: ClientSession, options: ConnectOptions): Client {
  return new Client(session, options, {
    createCalls: (limits) => new LateCalls(session, limits),
    replay: replayLater(session.link),
  });
}
