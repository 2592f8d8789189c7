import type { ConnectionError } from "../errors.ts";
import type { Environment } from "../host/environment.ts";
import type {
  ClientConnection,
  ConnectionHandlers,
  ConnectionOptions,
} from "../session/connection.ts";
import type { FrameCodec } from "../session/frame.ts";
import type { FetchLike } from "./fetch-like.ts";
import type { TransportKind } from "./transport-kind.ts";
import type { TransportTrial } from "./transport-trial.ts";

/** What the connections of one session share. */
export type TransportOptions = {
  readonly environment: Environment;
  readonly connection: Omit<ConnectionOptions, "url">;
  /** The transports that may be used, the best one first. */
  readonly kinds: readonly TransportKind[];
  /** The path of the WebSocket, in whose place those of HTTP stand. */
  readonly webSocketPath: string;
  readonly fetch: FetchLike | undefined;
  /** WebSockets in a row that were of no use before. */
  readonly breaksBefore?: number;
};

/** Where a connection leads to, and who hears of it. */
export type ConnectionTarget = {
  readonly url: string;
  readonly frames: FrameCodec;
  readonly handlers: ConnectionHandlers;
};

/**
 * What every page has and what is loaded later is given: importing it from there would make a page
 * load it in a piece of its own.
 */
export type LadderTools = {
  /** So many useless connections in a row are of a transport that fails. */
  readonly breaksMax: number;
  /** Observes a connection between its transport and its owner. */
  readonly createTrial: (environment: Environment, owner: ConnectionHandlers) => TransportTrial;
  /** A connection on the sockets of an environment, made idle. */
  readonly dial: (
    environment: Environment,
    options: ConnectionOptions,
    target: Pick<ConnectionTarget, "frames" | "handlers">,
  ) => ClientConnection;
  /** The error of code that cannot be loaded. */
  readonly failure: (cause: unknown) => ConnectionError;
};
