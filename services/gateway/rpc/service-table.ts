import type { MessageCodec, RpcMethod } from "@tickwire/proto/service";

/** What a handler knows about its call. */
export type RpcContext = {
  /** Aborted when the client cancels or goes away, or the deadline passes. */
  readonly signal: AbortSignal;
  readonly remoteAddress: string;
  /** Names in lower case: metadata of a Call, or headers of an HTTP request. */
  readonly metadata: ReadonlyMap<string, string>;
};

/** A method with its handler; the types of its messages are known to both and to nobody else. */
export type BoundMethod = {
  readonly name: string;
  readonly fullName: string;
  readonly path: string;
  readonly request: MessageCodec<unknown>;
  readonly response: MessageCodec<unknown>;
} & (
  | {
      readonly kind: "unary";
      handle(request: unknown, context: RpcContext): unknown;
    }
  | {
      readonly kind: "server-streaming";
      handle(request: unknown, context: RpcContext): AsyncIterable<unknown>;
    }
);

/** Methods by how clients name them. */
export type ServiceTable = {
  readonly byFullName: ReadonlyMap<string, BoundMethod>;
  readonly byPath: ReadonlyMap<string, BoundMethod>;
};

/** Generated descriptors are of this shape. */
type ServiceDescriptor = {
  readonly typeName: string;
  readonly methods: object;
};

/**
 * Joins a generated service descriptor with its generated handler type's implementation. The
 * caller's types guarantee that they belong together:
 * `bindService<MarketDataHandlers<RpcContext>>(MarketData, handlers)`.
 */
export function bindService<Handlers extends object>(
  service: ServiceDescriptor,
  handlers: Handlers,
): ServiceTable {
  const byFullName = new Map<string, BoundMethod>();
  const byPath = new Map<string, BoundMethod>();
  for (const [property, value] of Object.entries(service.methods)) {
    const method = value as RpcMethod<unknown, unknown>;
    const handle: unknown = (handlers as Readonly<Record<string, unknown>>)[property];
    const bound = { ...method, handle } as BoundMethod;
    byFullName.set(method.fullName, bound);
    byPath.set(method.path, bound);
  }
  return { byFullName, byPath };
}
