import type { ClientClock } from "../host/environment.ts";
import type { CallOptions } from "./call-options.ts";

/** The method of a call. */
export type CallMethod = {
  /** Such as `tickwire.v1.MarketData/GetTrades`. */
  readonly fullName: string;
  /** The schema says that asking changes nothing, so that it may be asked again. */
  readonly idempotent: boolean;
};

/** A call on its way to the gateway. */
export type InterceptedCall = {
  /** What is called. */
  readonly method: CallMethod;
  /** The message, as the schema has it. */
  readonly request: object;
  /** The caller's, with the client's deadline where the caller named none. */
  readonly options: CallOptions;
  /** The time of the client, for those who wait. */
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
};

/**
 * Sees every call of a client, may change what goes out (`next({ ...call, options })`), look at
 * what comes back, answer by itself, or ask again. The first of a client's list is the outermost.
 */
export type CallInterceptor = {
  /** Of methods with one answer. Errors are RpcError. */
  unary?<Response>(
    call: InterceptedCall,
    next: (call: InterceptedCall) => Promise<Response>,
  ): Promise<Response>;
  /** Of methods with any number of answers. */
  stream?<Response>(
    call: InterceptedCall,
    next: (call: InterceptedCall) => AsyncIterable<Response>,
  ): AsyncIterable<Response>;
};

/** Has a call go through all interceptors, and then on. */
export function interceptUnary<Response>(
  interceptors: readonly CallInterceptor[],
  call: InterceptedCall,
  last: (call: InterceptedCall) => Promise<Response>,
): Promise<Response> {
  return interceptors.reduceRight<typeof last>(
    (next, interceptor) => (given) => interceptor.unary?.(given, next) ?? next(given),
    last,
  )(call);
}

/** The same of a streaming call. */
export function interceptStream<Response>(
  interceptors: readonly CallInterceptor[],
  call: InterceptedCall,
  last: (call: InterceptedCall) => AsyncIterable<Response>,
): AsyncIterable<Response> {
  return interceptors.reduceRight<typeof last>(
    (next, interceptor) => (given) => interceptor.stream?.(given, next) ?? next(given),
    last,
  )(call);
}
