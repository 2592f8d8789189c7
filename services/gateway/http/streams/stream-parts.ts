import type { Bus } from "#bus/bus.ts";
import type { SharedAccounts } from "#core/shared-accounts.ts";
import type { Clock } from "#core/clock.ts";
import type { GatewayConfig } from "../../config.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type {
  Connection,
  ConnectionHandler,
  HttpBytes,
  HttpResponse,
} from "../../transport/transport.ts";
import type { Scheduler } from "../../turns/scheduler.ts";
import type { Turns } from "../../turns/turns.ts";
import type { ConnectionIds } from "./connection-ids.ts";
import type { PollSessions } from "./poll-sessions.ts";
import type { SessionRelay } from "./session-relay.ts";

/** Lets a session in, as the gateway does with a WebSocket. */
export type SessionDoor = {
  /** Why nobody is let in now; undefined if somebody is. */
  refusal(): HttpResponse<HttpBytes> | undefined;
  accept(connection: Connection): ConnectionHandler;
};

/** What the streams over HTTP need of the gateway. */
export type StreamFaceParts = {
  readonly config: GatewayConfig;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly turns: Turns;
  readonly metrics: GatewayMetrics;
  /** What waits for one client at most, in bytes. */
  readonly bufferedBytesMax: number;
  /** Polled sessions of all threads, by address, where the gateway has several. */
  readonly polledTogether?: SharedAccounts | undefined;
  /** A name for a session that nobody can guess. */
  readonly createToken: () => string;
};

/** What all kinds of sessions over HTTP share in one gateway. */
export type StreamStock = {
  readonly polled: PollSessions;
  readonly ids: ConnectionIds;
  readonly relay: SessionRelay;
};
