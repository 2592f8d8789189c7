import type { BaseConnectOptions } from "./connect.ts";
import type { Replay, ReplayEvent, ReplayOptions } from "./replay/replay-options.ts";
import { callLimits, type CallDefaults, type CallLimits } from "./rpc/call-limits.ts";
import type { ClientCalls, Rpc, RpcMessages } from "./rpc/market-data.ts";
import type { ClientSession } from "./session/client-session.ts";
import type { StreamDefaults } from "./streams/stream-options.ts";
import { StreamsClient } from "./streams/streams-client.ts";
import type { ChannelSource } from "./topics/channel-source.ts";
import type { Topics } from "./topics/topic.ts";

/** Options of `connect()`. Everything has a default; a value out of range is a RangeError. */
export type ConnectOptions = BaseConnectOptions & StreamDefaults & CallDefaults;

/** What a client does not bring itself, because not every page loads it at start. */
type ClientTools = {
  readonly channels: ChannelSource;
  /** The calls of the client's session, which keep to the limits. */
  readonly createCalls: (limits: CallLimits) => ClientCalls;
  readonly replay: Replay;
};

/**
 * A gateway as its user sees it. Made by `connect()`. Topics are `VENUE:SYMBOL`; each part may be
 * `*`.
 */
export class Client extends StreamsClient {
  /** The typed methods of the gateway. */
  readonly rpc: Rpc;
  /** The same with messages as the schema has them, for programs that hand them on. */
  readonly rpcMessages: RpcMessages;
  readonly #replay: Replay;

  /** For this package: clients come from `connect()`. */
  constructor(session: ClientSession, options: ConnectOptions, tools: ClientTools) {
    super(session, tools.channels, options);
    const calls = tools.createCalls(callLimits(options));
    this.rpc = calls.rpc;
    this.rpcMessages = calls.rpcMessages;
    this.#replay = tools.replay;
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
    return this.#replay(this.rpcMessages, topics, options);
  }
}
