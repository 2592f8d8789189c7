/** What became of a frame handed to `send`. */
export const SendResult = {
  /** Written to the kernel. */
  Sent: "sent",
  /** Accepted, waiting in user space. */
  Buffered: "buffered",
  /** Refused: the connection is at its buffer limit or closed. Nothing of it was sent. */
  Dropped: "dropped",
} as const;
export type SendResult = (typeof SendResult)[keyof typeof SendResult];

/** One client's WebSocket. Every method is safe after the connection closed. */
export type Connection = {
  readonly id: number;
  readonly remoteAddress: string;
  /** Whether permessage-deflate was negotiated. */
  readonly compressionNegotiated: boolean;
  /** Sends one binary message. `frame` is copied before this returns; `compress` is a wish. */
  send(frame: Uint8Array, compress: boolean): SendResult;
  /** Bytes accepted and not yet taken by the kernel. */
  bufferedBytes(): number;
  /** Sends what is buffered, then a close frame. The reason is cut to 123 bytes. Idempotent. */
  close(code: number, reason: string): void;
  /** Cuts the connection without a close frame. */
  terminate(): void;
};

/** What the gateway does with a connection. Called synchronously; must not throw. */
export type ConnectionHandler = {
  /** `data` is only valid during the call. */
  onMessage(data: Uint8Array, isBinary: boolean): void;
  /** The buffer shrank; maybe there is room again. */
  onDrain(): void;
  /** Called exactly once, also after `close()` and `terminate()`. */
  onClose(code: number, reason: string): void;
};

export type HttpRequest = {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly query: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly remoteAddress: string;
  /** The whole body, at most `requestBytesMax`. */
  readonly body: Uint8Array;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
};

export type HttpResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
};

export type UpgradeRequest = {
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly remoteAddress: string;
  /** As offered, in order. */
  readonly subprotocols: readonly string[];
};

/**
 * Accept with a subprotocol (which must be one that was offered), or refuse with an HTTP answer.
 */
export type UpgradeDecision =
  | { readonly kind: "accept"; readonly subprotocol: string }
  | { readonly kind: "refuse"; readonly response: HttpResponse };

/** What a transport serves. */
export type TransportHandler = {
  onUpgrade(request: UpgradeRequest): UpgradeDecision;
  /** The transport refused something by itself, because of a limit of its options. */
  onRefused(limit: "connectionsMax" | "requestBytesMax"): void;
  onConnection(connection: Connection): ConnectionHandler;
  /** Rejections become a 500 without detail. */
  onHttp(request: HttpRequest): Promise<HttpResponse>;
};

export type TransportOptions = {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** WebSocket path. */
  readonly path: string;
  /**
   * Above this a connection is cut without a close frame; the gateway's own, lower limit closes
   * with a code.
   */
  readonly messageBytesMax: number;
  /** HTTP bodies above this are answered 413. */
  readonly requestBytesMax: number;
  /** Buffered bytes at which `send` drops. */
  readonly bufferedBytesMax: number;
  /** A connection from which nothing (not even a pong) came for this long is cut. */
  readonly idleTimeoutMs: number;
  readonly compression: boolean;
  readonly connectionsMax: number;
};

/** A listening server. */
export type Transport = {
  readonly kind: "uws" | "node";
  readonly port: number;
  /** Accepts no more connections; those open live on. Idempotent. */
  stopListening(): void;
  /** Cuts what is still open. Idempotent. */
  close(): Promise<void>;
};

/** Hears what a handler threw: a bug, but not one that ends the process. */
export type TransportErrorListener = (where: string, error: unknown) => void;

export type CreateTransport = (
  options: TransportOptions,
  handler: TransportHandler,
) => Promise<Transport>;
