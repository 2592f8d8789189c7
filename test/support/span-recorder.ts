import { AsyncLocalStorage } from "node:async_hooks";
import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import type { Context, ContextManager, TextMapPropagator } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";

/** What Node's SDK brings: the context follows promises and callbacks. */
class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<Parameters extends unknown[], Work extends (...parameters: Parameters) => ReturnType<Work>>(
    inside: Context,
    work: Work,
    self?: ThisParameterType<Work>,
    ...parameters: Parameters
  ): ReturnType<Work> {
    return this.#storage.run(inside, () => work.call(self, ...parameters));
  }

  bind<Target>(_context: Context, target: Target): Target {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

/** The W3C's header `traceparent`, and nothing else. */
const TRACE_CONTEXT: TextMapPropagator = {
  inject(from, carrier, setter) {
    const span = trace.getSpanContext(from);
    if (span === undefined) return;
    const flags = span.traceFlags.toString(16).padStart(2, "0");
    setter.set(carrier, "traceparent", `00-${span.traceId}-${span.spanId}-${flags}`);
  },
  extract(to, carrier, getter) {
    const header = getter.get(carrier, "traceparent");
    const [, traceId, spanId, flags = "0"] = TRACEPARENT.exec(String(header)) ?? [];
    if (traceId === undefined || spanId === undefined) return to;
    const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
    return trace.setSpanContext(to, parent);
  },
  fields: () => ["traceparent"],
};

/** An SDK that keeps spans, as an operator's would send them away. For a whole test file. */
export class SpanRecorder {
  readonly #exporter = new InMemorySpanExporter();

  constructor() {
    const spanProcessors = [new SimpleSpanProcessor(this.#exporter)];
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
    context.setGlobalContextManager(new AsyncContexts());
    propagation.setGlobalPropagator(TRACE_CONTEXT);
  }

  /** Spans that have ended since the last `clear`. */
  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  /** The names of the span and of those that it is part of, the outermost first. */
  pathOf(span: ReadableSpan): string[] {
    const parent = this.spans.find(
      (other) => other.spanContext().spanId === span.parentSpanContext?.spanId,
    );
    return [...(parent === undefined ? [] : this.pathOf(parent)), span.name];
  }

  clear(): void {
    this.#exporter.reset();
  }

  /** Takes the SDK out again. */
  close(): void {
    trace.disable();
    context.disable();
    propagation.disable();
  }
}
