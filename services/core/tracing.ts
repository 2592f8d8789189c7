/** What a span says of itself. */
type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** How a context travels with a request: names in lower case. */
export type TraceHeaders = ReadonlyMap<string, string>;

/** One piece of work of a trace, which has begun. */
export type Span = {
  /** Work that begins in here, and what it awaits, is part of the span. */
  within<Result>(work: () => Result): Result;
  /** What whoever is asked next gets, so that its spans belong to this one. */
  headers(): TraceHeaders;
  /** The work is over: `failure` says why it failed, if it did. Idempotent. */
  end(failure?: { readonly message: string }): void;
};

/** Where spans go. A process that traces nothing has none of these, and pays nothing. */
export type Tracing = {
  /** Begins a span: of what `headers` came with, or else of the work that is under way. */
  start(
    name: string,
    options: {
      readonly kind: "server" | "client" | "internal";
      readonly attributes?: SpanAttributes;
      readonly headers?: TraceHeaders;
    },
  ): Span;
};

/** Traces work whose end is a promise's. */
export async function traced<Result>(
  span: Span,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    const result = await span.within(work);
    span.end();
    return result;
  } catch (error) {
    span.end({ message: error instanceof Error ? error.message : "failed" });
    throw error;
  }
}
