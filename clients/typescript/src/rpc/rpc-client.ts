import type { BaseConnectOptions } from "../connect.ts";
import { SessionHandle } from "../session/session-handle.ts";
import type { BareSession } from "../session/client-session.ts";
import { callLimits, type CallDefaults } from "./call-limits.ts";
import { Calls } from "./calls.ts";
import type { Rpc, RpcMessages } from "./market-data.ts";

/** Options of `connect()` for a client with calls only. */
export type RpcConnectOptions = BaseConnectOptions & CallDefaults;

/** The typed methods of a gateway, without its streams. */
export class RpcClient extends SessionHandle {
  /** The typed methods of the gateway. */
  readonly rpc: Rpc;
  /** The same with messages as the schema has them, for programs that hand them on. */
  readonly rpcMessages: RpcMessages;

  /** For this package: clients come from `connect()`. */
  constructor(session: BareSession, options: RpcConnectOptions) {
    super(session);
    const calls = new Calls(session.link, callLimits(options));
    session.carry(calls);
    this.rpc = calls.rpc;
    this.rpcMessages = calls.rpcMessages;
  }
}

/** The client of one session. Throws RangeError for an option that is out of range. */
export function createRpcClient(session: BareSession, options: RpcConnectOptions): RpcClient {
  return new RpcClient(session, options);
}
