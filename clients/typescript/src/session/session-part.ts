import type { BackoffOptions } from "../backoff.ts";
import type { ConnectionError } from "../errors.ts";
import type { ClientClock } from "../host/environment.ts";
import type { Limits } from "./connection.ts";
import type { ClientMessage, FrameMembers, ServerMessage } from "./frame.ts";
import type { RequestPacer } from "./request-pacer.ts";

/** What a session gives to its parts. */
export type SessionLink = {
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  /** How long to wait before something is tried again. */
  readonly backoff: BackoffOptions;
  readonly pacer: RequestPacer;
  /** Sends one frame; does nothing while there is no connection. */
  readonly send: (messages: readonly ClientMessage[]) => void;
  /** Ends the connection, because the gateway and the client disagree: the next one begins anew. */
  readonly reconnect: (error: ConnectionError) => void;
  /** Calls back when the page is hidden or shown, until the result is called. */
  readonly watchVisibility: (listener: (isVisible: boolean) => void) => () => void;
  /** Calls back when the page is drawn next, or after a while where nothing is drawn. */
  readonly nextFrame: (callback: () => void) => () => void;
  /** Hands what a callback of the user threw to the host. */
  readonly reportUncaught: (error: unknown) => void;
};

/** A connection that another has taken over from, and that still brings what has not moved. */
export type OldConnection = {
  /** Sends one frame on it; does nothing once it has ended. */
  readonly send: (messages: readonly ClientMessage[]) => void;
};

/**
 * What a session carries: the topics of a client, its calls, or both. A client that has only one of
 * them does not load the code of the other. Called synchronously; must not throw, except that
 * `handleBatch` may throw WireError, which ends the connection.
 */
export type SessionPart = {
  /** The messages that it sends and reads. */
  readonly members: FrameMembers;
  /** A connection is ready. */
  handleConnected(limits: Limits): void;
  /** The connection is gone; what was sent may be lost. */
  handleDisconnected(error: ConnectionError): void;
  /** A message of the gateway, other than its Welcome. Those of other parts come too. */
  handleMessage(message: ServerMessage): void;
  /** A batch is bytes[start..end), which are the part's to keep. */
  handleBatch?(bytes: Uint8Array, start: number, end: number): void;
  /**
   * Another connection takes over, and `handleConnected` follows: what is asked for goes there.
   * What the old one still brings comes by `handleOldMessage` and `handleOldBatch`, while
   * `needsOld` says so and until `handleOldEnded`. A part without this is told that the connection
   * is gone.
   */
  handleMoved?(old: OldConnection): void;
  /** Whether something is still to come on the old connection. */
  readonly needsOld?: boolean;
  /** As `handleMessage`, of the old connection. */
  handleOldMessage?(message: ServerMessage): void;
  /** As `handleBatch`, of the old connection. */
  handleOldBatch?(bytes: Uint8Array, start: number, end: number): void;
  /** The old connection is gone, because it broke or because nobody needs it any more. */
  handleOldEnded?(error: ConnectionError): void;
  /** The client is over: by `cause` for good, or by `close()`, for which `isFailure` is false. */
  close(cause: ConnectionError, isFailure: boolean): void;
};
