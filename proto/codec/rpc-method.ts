import type { MessageCodec, MessageInit } from "./message-codec.ts";

type MethodBase<Request, Response> = {
  /** As in the schema, such as `GetTrades`. */
  readonly name: string;
  /** What a Call carries: `tickwire.v1.MarketData/GetTrades`. */
  readonly fullName: string;
  /** What HTTP uses: `/tickwire.v1.MarketData/GetTrades`. */
  readonly path: string;
  /** Asking twice does no harm, so a client may try again by itself. */
  readonly idempotent: boolean;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
};

/** One request, one response. */
export type UnaryMethod<Request, Response> = MethodBase<Request, Response> & {
  readonly kind: "unary";
};

/** One request, any number of responses. */
export type ServerStreamMethod<Request, Response> = MethodBase<Request, Response> & {
  readonly kind: "server-streaming";
};

/** A method of a service, as generated code describes it. */
export type RpcMethod<Request, Response> =
  | UnaryMethod<Request, Response>
  | ServerStreamMethod<Request, Response>;

/** Carries a unary call. Rejects with the transport's own error. */
export type UnaryCall<Options> = <Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: MessageInit<Request>,
  options: Options | undefined,
) => Promise<Response>;

/** Carries a server-streaming call. Leaving the iteration early cancels the call. */
export type ServerStreamCall<Options> = <Request, Response>(
  method: ServerStreamMethod<Request, Response>,
  request: MessageInit<Request>,
  options: Options | undefined,
) => AsyncIterable<Response>;

/** Used by generated code: what of a method follows from its names. */
export function defineMethod<Kind extends "unary" | "server-streaming", Request, Response>(
  service: string,
  name: string,
  { kind, idempotent }: { readonly kind: Kind; readonly idempotent: boolean },
  codecs: { readonly request: MessageCodec<Request>; readonly response: MessageCodec<Response> },
): MethodBase<Request, Response> & { readonly kind: Kind } {
  const fullName = `${service}/${name}`;
  return { name, fullName, path: `/${fullName}`, kind, idempotent, ...codecs };
}

/** Used by generated code, which vouches for the type: a function for each method, by its name. */
export function createStub<Options>(
  methods: Readonly<Record<string, RpcMethod<unknown, unknown>>>,
  call: UnaryCall<Options>,
  serverStream: ServerStreamCall<Options>,
): unknown {
  const stub: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(methods)) {
    stub[name] = (request: object, options?: Options) =>
      method.kind === "unary"
        ? call(method, request, options)
        : serverStream(method, request, options);
  }
  return stub;
}
