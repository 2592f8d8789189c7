import type { BaseConnectOptions } from "../connect.ts";
import type { Environment, WebSocketLike } from "../host/environment.ts";
import type { BareSession, TopicSource } from "../session/client-session.ts";
import type { ChannelSource } from "../topics/channel-source.ts";
import type { Consumer } from "../topics/consumer.ts";
import type { WireOptions } from "../topics/subscription-entry.ts";

/** Somebody who wants topics. */
export type Attachment = {
  readonly topics: readonly string[];
  readonly options: WireOptions;
  readonly consumer: Consumer;
  /** Called once when the consumer is over. */
  readonly release: () => void;
};

/** How a socket has ended. */
export type SocketEnd = { readonly code: number; readonly reason: string };

/**
 * What happened: who was asked for in one request, or a frame that came and was handed on. Whoever
 * does the same in the same order stands where the opening stands.
 */
export type Past = readonly (readonly Attachment[] | Uint8Array)[];

/** A connection that has begun, for what takes over from the opening. */
export type Opened = {
  readonly url: string;
  readonly options: BaseConnectOptions;
  readonly environment: Environment;
  /** Whether somebody looks at the page, as far as the host has said. */
  readonly isVisible: boolean;
  readonly socket: WebSocketLike;
  /** Every frame that went out. */
  readonly sent: readonly Uint8Array[];
  readonly past: Past;
  readonly channels: ChannelSource;
  readonly hiddenIntervalMs: number;
};

/** The session that has taken over. */
export type Whole = {
  readonly session: BareSession;
  readonly topics: TopicSource;
  /**
   * Takes what has come since, as it came from the socket, and then the end of the socket, or what
   * it brings from now on.
   */
  goOn(waiting: readonly unknown[], end: SocketEnd | undefined): void;
};
