import type { Principal } from "../access/principal.ts";
import type { TurnLine } from "../turns/turns.ts";
import { measureMessage, WireError } from "@tickwire/proto/codec";
import { messageFromJson, messageToJson } from "@tickwire/proto/service";
import type { MessageCodec, RpcMethod } from "@tickwire/proto/service";
import { requireCall } from "./permissions.ts";

/** What a handler knows about its call. */
export type RpcContext = {
  /** Of the client: what takes long is work of this line. */
  readonly line: TurnLine;
  /**
   * Pays for work as for so many requests, besides the one that the call is.
   * @throws RpcError `resource_exhausted` if that is more than the client may have now.
   */
  readonly spend: (requests: number) => void;
  /** Aborted when the client cancels or goes away, or the deadline passes. */
  readonly signal: AbortSignal;
  readonly remoteAddress: string;
  /** Who asks. What he may not have is to be refused by the method. */
  readonly principal: Principal;
  /** Names in lower case: metadata of a Call, or headers of an HTTP request. */
  readonly metadata: ReadonlyMap<string, string>;
};

/** Messages of one type as a carrier reads and writes them. */
export type BoundMessage = Pick<MessageCodec<unknown>, "name" | "encode" | "decode"> & {
  /** Throws MessageJsonError. */
  fromJson(json: unknown): unknown;
  /** A value for JSON.stringify. */
  toJson(message: unknown): unknown;
};

/** A method with its handler; the types of its messages are known to both and to nobody else. */
export type BoundMethod = {
  readonly name: string;
  readonly fullName: string;
  readonly path: string;
  /** Asking has no side effects, so that HTTP may ask by GET. */
  readonly idempotent: boolean;
  readonly request: BoundMessage;
  readonly response: BoundMessage;
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

/** As every method is called, whatever its types are. */
type Handler = (request: unknown, context: RpcContext) => unknown;

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
    const handler = (handlers as Readonly<Record<string, unknown>>)[property] as Handler;
    const handle: Handler = (request, context) => {
      requireCall(context.principal, method.name);
      return handler(request, context);
    };
    const messages = {
      request: bindMessage(method.request),
      response: bindMessage(method.response),
    };
    const bound = { ...method, ...messages, handle } as BoundMethod;
    byFullName.set(method.fullName, bound);
    byPath.set(method.path, bound);
  }
  return { byFullName, byPath };
}

/** Fields of a request, counted before it is decoded: many times as many as any has. */
export const REQUEST_FIELDS_MAX = 10_000;

function bindMessage(codec: MessageCodec<unknown>): BoundMessage {
  return {
    name: codec.name,
    encode: (message) => codec.encode(message as never),
    decode: (bytes) => {
      if (measureMessage(codec, bytes, REQUEST_FIELDS_MAX) !== undefined)
        return codec.decode(bytes);
      throw new WireError("malformed", `it has more than ${REQUEST_FIELDS_MAX} fields`);
    },
    fromJson: (json) => messageFromJson(codec, json),
    toJson: (message) => messageToJson(codec, message as never),
  };
}
