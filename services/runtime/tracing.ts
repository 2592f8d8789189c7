import {
  context,
  propagation,
  ProxyTracerProvider,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { Context, TextMapGetter, TextMapSetter, Tracer } from "@opentelemetry/api";
import type { Span, TraceHeaders, Tracing } from "#core/tracing.ts";

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;

const GETTER: TextMapGetter<TraceHeaders> = {
  get: (headers, name) => headers.get(name.toLowerCase()),
  keys: (headers) => [...headers.keys()],
};
const SETTER: TextMapSetter<Map<string, string>> = {
  set: (headers, name, value) => void headers.set(name.toLowerCase(), value),
};

/**
 * Where spans go, if an OpenTelemetry SDK was loaded before; undefined if none was, so that nobody
 * traces anything. The SDK decides what is kept, and sends it.
 */
export function createTracing(version: string): Tracing | undefined {
  if (!hasProvider()) return undefined;
  const tracer = trace.getTracer("tickwire", version);
  return {
    start(name, { kind, attributes = {}, headers }) {
      const outer = context.active();
      const parent = headers === undefined ? outer : propagation.extract(outer, headers, GETTER);
      return startSpan(tracer, parent, { name, kind: KINDS[kind], attributes });
    },
  };
}

/** Without an SDK, the global provider hands out what a new one does: spans that are none. */
function hasProvider(): boolean {
  const provider = trace.getTracerProvider();
  if (!(provider instanceof ProxyTracerProvider)) return true;
  return provider.getDelegate() !== new ProxyTracerProvider().getDelegate();
}

function startSpan(
  tracer: Tracer,
  parent: Context,
  { name, ...options }: { name: string; kind: SpanKind; attributes: object },
): Span {
  const span = tracer.startSpan(name, options as Parameters<Tracer["startSpan"]>[1], parent);
  const inside = trace.setSpan(parent, span);
  let isOver = false;
  return {
    within: (work) => context.with(inside, work),
    headers() {
      const headers = new Map<string, string>();
      propagation.inject(inside, headers, SETTER);
      return headers;
    },
    end(failure) {
      if (isOver) return;
      isOver = true;
      if (failure !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
      }
      span.end();
    },
  };
}
