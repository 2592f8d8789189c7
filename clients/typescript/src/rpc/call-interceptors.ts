import type { CallInterceptor, InterceptedCall } from "./call-chain.ts";

/** What goes with a call besides its message. */
type Metadata = Readonly<Record<string, string>>;

function withMore(call: InterceptedCall, more: Metadata): InterceptedCall {
  const { options } = call;
  return { ...call, options: { ...options, metadata: { ...more, ...options.metadata } } };
}

/**
 * Sends metadata with every call, asked for anew each time, such as who asks. What the caller gave
 * with the call itself comes before it.
 */
export function sendMetadata(
  metadataOf: (call: InterceptedCall) => Metadata | Promise<Metadata>,
): CallInterceptor {
  return {
    unary: async (call, next) => next(withMore(call, await metadataOf(call))),
    async *stream(call, next) {
      yield* next(withMore(call, await metadataOf(call)));
    },
  };
}

/** One call in a trace. */
export type CallSpan = {
  /** Goes to the gateway, as the W3C's Trace Context has it. */
  readonly traceparent: string;
  /** Goes along with it. */
  readonly tracestate?: string | undefined;
  /** Called once, when the call is over; undefined is success. */
  end?(error: unknown): void;
};

/** Has every call be part of a trace. `startSpan` may give nothing: then the call is not traced. */
export function traceCalls(
  startSpan: (call: InterceptedCall) => CallSpan | undefined,
): CallInterceptor {
  const traced = (call: InterceptedCall, { traceparent, tracestate }: CallSpan) =>
    withMore(call, { traceparent, ...(tracestate === undefined ? {} : { tracestate }) });
  return {
    async unary(call, next) {
      const span = startSpan(call);
      if (span === undefined) return next(call);
      try {
        const response = await next(traced(call, span));
        span.end?.(undefined);
        return response;
      } catch (error) {
        span.end?.(error);
        throw error;
      }
    },
    async *stream(call, next) {
      const span = startSpan(call);
      if (span === undefined) {
        yield* next(call);
        return;
      }
      let failure: unknown;
      try {
        yield* next(traced(call, span));
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        span.end?.(failure);
      }
    },
  };
}
