import { Client, type ConnectOptions } from "./client.ts";
import { replayEvents } from "./replay/replay-events.ts";
import { Calls } from "./rpc/calls.ts";
import type { BareSession, ClientSession } from "./session/client-session.ts";
import { ALL_CHANNELS } from "./topics/all-channels.ts";
import { ChannelSource } from "./topics/channel-source.ts";

/** The client of one session, all of whose code is there. Throws RangeError for a bad option. */
export function createClient(
  session: ClientSession & BareSession,
  options: ConnectOptions,
): Client {
  return new Client(session, options, {
    channels: new ChannelSource(ALL_CHANNELS),
    createCalls(limits) {
      const calls = new Calls(session.link, limits);
      session.carry(calls);
      return calls;
    },
    replay: replayEvents,
  });
}
