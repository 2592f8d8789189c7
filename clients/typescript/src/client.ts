import type { BaseConnectOptions } from "./connect.ts";
import { replayEvents } from "./replay/replay-events.ts";
import type { ReplayEvent, ReplayOptions } from "./replay/replay-options.ts";
import { callLimits, type CallDefaults } from "./rpc/call-limits.ts";
import { Calls } from "./rpc/calls.ts";
import type { Rpc, RpcMessages } from "./rpc/market-data.ts";
import type { ClientSession } from "./session/client-session.ts";
import type { StreamDefaults } from "./streams/stream-options.ts";
import { StreamsClient } from "./streams/streams-client.ts";
import type { Topics } from "./topics/topic.ts";

/** Options of `connect()`. Everything has a default; a value out of range is a RangeError. */
export type ConnectOptions = BaseConnectOptions & StreamDefaults & CallDefaults;

/**
 * A gateway as its user sees it. Made by `connect()`. Topics are `VENUE:SYMBOL`; each part may be
 * `*`.
 */
export class Client extends StreamsClient {
  /** The typed methods of the gateway. */
  readonly rpc: Rpc;
  /** The same with messages as the schema has them, for programs that hand them on. */
  readonly rpcMessages: RpcMessages;

  /** For this package: clients come from `connect()`. */
  constructor(session: ClientSession, options: ConnectOptions) {
    super(session, options);
    const calls = new Calls(session.link, callLimits(options));
    session.carry(calls);
    this.rpc = calls.rpc;
    this.rpcMessages = calls.rpcMessages;
  }

  /**
   * Past events of topics, in the order in which they were published, as far as the gateway's log
   * has them. Topics are `VENUE:SYMBOL/channel`, without `*`. The loop throws RpcError:
   * `unimplemented` if no log is kept, `not-found` if the position is not. Leaving it ends it.
   */
  replay(
    topics: Topics,
    options: ReplayOptions = {},
  ): AsyncGenerator<ReplayEvent, void, undefined> {
    return replayEvents(this.rpcMessages, topics, options);
  }
}

/** The client of one session. Throws RangeError for an option that is out of range. */
export function createClient(session: ClientSession, options: ConnectOptions): Client {
  return new Client(session, options);
}
