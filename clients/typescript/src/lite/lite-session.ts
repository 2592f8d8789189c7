import { TickwireError, type ConnectionError, type TopicRefusal } from "../errors.ts";
import type { BareEnvironment, WebSocketLike } from "../host/environment.ts";
import type { SocketEnd } from "../opening/opened.ts";
import type { ClientState } from "../session/session.ts";
import type { LiteConnectOptions } from "./lite-options.ts";
import type { LiteConsumer } from "./topic.ts";

/** Called after each change of the state, with what ended the connection where there is none. */
export type LiteStateListener = (state: ClientState, error: ConnectionError | undefined) => void;

/** A consumer as the topics know it. */
export type TopicsConsumer = LiteConsumer & {
  /** It is over. */
  closed: boolean;
  // Nobody is told while what has happened is repeated.
  event: LiteConsumer["event"];
  notice: LiteConsumer["notice"];
  /** One of its topics was refused or has ended. */
  readonly refuse: (name: string, refusal: TopicRefusal) => void;
  /** It is over: with an error, or cleanly. */
  readonly end: (error: TickwireError | undefined) => void;
};

/** How topics are wanted. */
export type TopicWish = {
  /** Number of the schema's Channel. */
  readonly channel: number;
  readonly conflationIntervalMs: number;
};

/** What a small client stands on. */
export type LiteSession = {
  readonly state: ClientState;
  readonly sessionId: string | undefined;
  /** Why nothing can be had any more; undefined while something can. */
  readonly endError: ConnectionError | undefined;
  onState(listener: LiteStateListener): () => void;
  /** Throws TickwireError `options-conflict` if a topic is subscribed at another interval. */
  attach(names: readonly string[], wish: TopicWish, consumer: TopicsConsumer): void;
  /** The consumer is over; what nobody else wants is given up. */
  detach(names: readonly string[], consumer: TopicsConsumer): void;
  /** Ends every consumer cleanly, and the connection. Idempotent. */
  close(): void;
};

/** Why a topic cannot be had at another interval than the one that it has. */
export function intervalConflict(name: string, intervalMs: number): TickwireError {
  const text = `${name} is subscribed at ${intervalMs} ms; another interval needs another client`;
  return new TickwireError("options-conflict", text);
}

/** Somebody who wants topics. */
export type LiteAttachment = {
  readonly topics: readonly string[];
  readonly wish: TopicWish;
  readonly consumer: TopicsConsumer;
};

/** A connection that has begun, for what takes over from the opening. */
export type LiteOpened = {
  readonly url: string;
  readonly options: LiteConnectOptions;
  readonly environment: BareEnvironment;
  readonly socket: WebSocketLike;
  /** Every frame that went out. */
  readonly sent: readonly Uint8Array[];
  /** Who was asked for in one request, or a frame that came and was handed on, in order. */
  readonly past: readonly (readonly LiteAttachment[] | Uint8Array)[];
};

/** What has taken over. */
export type LiteWhole = {
  readonly session: LiteSession;
  /** Takes what has come since, and then the end of the socket, or what it brings from now on. */
  goOn(waiting: readonly unknown[], end: SocketEnd | undefined): void;
};
