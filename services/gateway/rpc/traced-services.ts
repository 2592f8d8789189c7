import { traced } from "#core/tracing.ts";
import type { Span, Tracing } from "#core/tracing.ts";
import type { BoundMethod, RpcContext, ServiceTable } from "./service-table.ts";

/**
 * The same services, with a span for each call: of the trace that came with the call's metadata or
 * HTTP headers, if one did. Only for gateways that trace: others use the services themselves.
 */
export function tracedServices(services: ServiceTable, tracing: Tracing): ServiceTable {
  const byFullName = new Map<string, BoundMethod>();
  const byPath = new Map<string, BoundMethod>();
  for (const [name, method] of services.byFullName) {
    const bound = tracedMethod(method, tracing);
    byFullName.set(name, bound);
    byPath.set(method.path, bound);
  }
  return { byFullName, byPath };
}

function tracedMethod(method: BoundMethod, tracing: Tracing): BoundMethod {
  if (method.kind === "unary") {
    return {
      ...method,
      handle: (request, context) =>
        traced(startCall(method, context, tracing), () => method.handle(request, context)),
    };
  }
  return {
    ...method,
    handle: (request, context) =>
      tracedResponses(method.handle(request, context), () => startCall(method, context, tracing)),
  };
}

function startCall({ fullName }: BoundMethod, context: RpcContext, tracing: Tracing): Span {
  const at = fullName.lastIndexOf("/");
  const attributes = {
    "rpc.system": "connect_rpc",
    "rpc.service": fullName.slice(0, at),
    "rpc.method": fullName.slice(at + 1),
  };
  return tracing.start(fullName, { kind: "server", attributes, headers: context.metadata });
}

/** The span of a stream begins when its first response is asked for, and ends with the stream. */
async function* tracedResponses(
  responses: AsyncIterable<unknown>,
  start: () => Span,
): AsyncGenerator<unknown> {
  const span = start();
  const iterator = responses[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await span.within(() => iterator.next());
      if (next.done === true) break;
      yield next.value;
    }
    span.end();
  } catch (error) {
    span.end({ message: error instanceof Error ? error.message : "failed" });
    throw error;
  } finally {
    // The client went before the end.
    span.end();
    iterator.return?.().catch(() => undefined);
  }
}
