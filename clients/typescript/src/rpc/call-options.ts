/** Options of one call. */
export type CallOptions = {
  /** Cancels the call: it rejects with the code `cancelled`, and the gateway is told. */
  readonly signal?: AbortSignal | undefined;
  /**
   * From the call to its end, waiting for a connection included; also sent to the gateway. Default:
   * the client's `callTimeoutMs` for unary methods, none for streaming ones.
   */
  readonly timeoutMs?: number | undefined;
  /** Sent with the call. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
};
