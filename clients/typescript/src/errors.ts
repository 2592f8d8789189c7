/** google.rpc.Code in kebab case: how an RPC failed. */
export type RpcErrorCode =
  | "cancelled"
  | "unknown"
  | "invalid-argument"
  | "deadline-exceeded"
  | "not-found"
  | "already-exists"
  | "permission-denied"
  | "resource-exhausted"
  | "failed-precondition"
  | "aborted"
  | "out-of-range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data-loss"
  | "unauthenticated";

/** Why the gateway refused a topic. */
export type TopicErrorCode =
  | "topic-malformed"
  | "topic-unknown-venue"
  | "topic-unknown-symbol"
  | "topic-unknown-channel"
  | "topic-unknown-interval"
  | "topic-not-ready"
  | "topic-already-subscribed"
  | "topic-limit-exceeded"
  | "topic-permission-denied"
  | "topic-unavailable"
  | "topic-not-subscribed"
  | "topic-unsupported-option"
  | "topic-refused";

/** What ended or prevented a connection. */
export type ConnectionErrorCode =
  | "connect-failed"
  | "connect-timeout"
  | "connection-lost"
  | "connection-silent"
  | "going-away"
  | "slow-consumer"
  | "internal"
  | "overloaded"
  | "rate-limited"
  | "hello-timeout"
  | "protocol-error"
  | "frame-too-large"
  | "unsupported-version"
  | "unauthenticated"
  | "permission-denied"
  | "access-expired"
  | "access-limited"
  | "access-unavailable"
  | "access-revoked"
  | "client-closed";

/** Every code that an error of this package can have. Codes are stable; messages are not. */
export type ErrorCode =
  | RpcErrorCode
  | TopicErrorCode
  | ConnectionErrorCode
  | "buffer-overflow"
  | "stream-consumed"
  | "options-conflict";

/** Machine-readable detail that the gateway gave with an error. */
export type ErrorDetail = {
  /** Stable, such as `UNKNOWN_TOPIC`. */
  readonly reason: string;
  /** What goes with the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Worth trying again after this long; undefined if the gateway does not say. */
  readonly retryAfterMs: number | undefined;
};

/** What an error is made of besides code and message. */
export type TickwireErrorOptions = {
  /** Whether the same request may succeed later. Default false. */
  readonly retryable?: boolean;
  /** What the gateway said besides. */
  readonly details?: readonly ErrorDetail[];
  /** What it was caused by. */
  readonly cause?: unknown;
};

/** Every error that this package throws or reports. Decide by `code` and `retryable`. */
export class TickwireError extends Error {
  /** What went wrong. Stable. */
  readonly code: ErrorCode;
  /** Whether the same request may succeed later without a change to it. */
  readonly retryable: boolean;
  /** What the gateway said besides; mostly empty. */
  readonly details: readonly ErrorDetail[];

  constructor(code: ErrorCode, message: string, options: TickwireErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TickwireError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? [];
  }
}

/** One refused topic. */
export type TopicRefusal = {
  /** The topic or pattern. */
  readonly topic: string;
  /** Why it was refused. Stable. */
  readonly code: TopicErrorCode;
  /** The same for people. */
  readonly message: string;
  /**
   * What there is in place of an unknown venue, symbol or channel, the nearest first; a few at
   * most, or none.
   */
  readonly alternatives: readonly string[];
};

const REFUSALS_SHOWN_MAX = 5;

function refusalText(refusals: readonly TopicRefusal[]): string {
  const shown = refusals.slice(0, REFUSALS_SHOWN_MAX);
  const text = shown.map(({ topic, message }) => `${topic}: ${message}`).join("; ");
  const more = refusals.length - shown.length;
  return more === 0 ? text : `${text}; and ${more} more in refusals`;
}

/** Whether what was refused may be there a little later. */
function isPassing(code: TopicErrorCode | undefined): boolean {
  return code === "topic-unavailable" || code === "topic-not-ready";
}

/** The gateway (or the client, for a malformed topic) refused topics of a stream. */
export class TopicRefusedError extends TickwireError {
  /** Every topic that was refused, the first of which names the code. */
  readonly refusals: readonly TopicRefusal[];

  constructor(refusals: readonly TopicRefusal[]) {
    const first = refusals[0];
    super(first?.code ?? "topic-refused", refusalText(refusals), {
      retryable: isPassing(first?.code),
    });
    this.name = "TopicRefusedError";
    this.refusals = refusals;
  }
}

/** The consumer of a stream with the policy `error` was slower than its buffer allows. */
export class BufferOverflowError extends TickwireError {
  /** How many events the buffer held. */
  readonly bufferEventsMax: number;

  constructor(bufferEventsMax: number) {
    super(
      "buffer-overflow",
      `event ${bufferEventsMax + 1} does not fit bufferEventsMax ${bufferEventsMax}`,
      { retryable: true },
    );
    this.name = "BufferOverflowError";
    this.bufferEventsMax = bufferEventsMax;
  }
}

/** No connection could be made, or the one there was ended. */
export class ConnectionError extends TickwireError {
  /** What ended or prevented the connection. Stable. */
  declare readonly code: ConnectionErrorCode;
  /** WebSocket close code; undefined if no close frame came. */
  readonly closeCode: number | undefined;

  constructor(
    code: ConnectionErrorCode,
    message: string,
    options: TickwireErrorOptions & { readonly closeCode?: number } = {},
  ) {
    super(code, message, options);
    this.name = "ConnectionError";
    this.closeCode = options.closeCode;
  }
}

/** An RPC failed. */
export class RpcError extends TickwireError {
  /** How the call failed. Stable. */
  declare readonly code: RpcErrorCode;
  /** Full method name, such as `tickwire.v1.MarketData/GetSnapshot`. */
  readonly method: string;
  /** Whether the request had left this client, so that the gateway may have executed it. */
  readonly sent: boolean;

  constructor(
    code: RpcErrorCode,
    message: string,
    options: TickwireErrorOptions & { readonly method: string; readonly sent: boolean },
  ) {
    super(code, message, options);
    this.name = "RpcError";
    this.method = options.method;
    this.sent = options.sent;
  }
}
