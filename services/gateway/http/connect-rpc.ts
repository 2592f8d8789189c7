// The Connect protocol over HTTP/1.1: https://connectrpc.com/docs/protocol/
import { quotedText } from "#core/visible-text.ts";
import { accountFor } from "../rpc/call-outcome.ts";
import type { CallAccount } from "../rpc/call-outcome.ts";
import { CallScope, effectiveTimeoutMs } from "../rpc/call-scope.ts";
import { requireCall } from "../rpc/permissions.ts";
import { RpcError, toRpcError } from "../rpc/rpc-error.ts";
import { BYTES_PER_REQUEST } from "../rpc/work-price.ts";
import type { BoundMethod, RpcContext, ServiceTable } from "../rpc/service-table.ts";
import type { PrincipalAccounts } from "../session/principal-accounts.ts";
import { errorAnswer, jsonAnswer } from "../transport/http-answer.ts";
import type { HttpResponse } from "../transport/transport.ts";
import { oneStep } from "../turns/turns.ts";
import type { Turns } from "../turns/turns.ts";
import type { AskedRequest } from "./asked-request.ts";
import { decodeMessage, encodeMessage, errorJson } from "./connect-message.ts";
import { acceptedTypes, readGet, readPost, readTimeoutMs } from "./connect-request.ts";
import type { ConnectForm } from "./connect-request.ts";
import { encodeEnvelope } from "./envelope.ts";
import { deflateMessage, inflateMessage, tooLarge } from "./gzip.ts";
import { HttpCallers } from "./http-callers.ts";
import { StreamAnswer } from "./stream-answer.ts";

/** What the HTTP face of the RPCs needs of the gateway. */
export type ConnectRpcParts = CallAccount & {
  readonly accounts: PrincipalAccounts;
  readonly services: ServiceTable;
  readonly turns: Turns;
  readonly limits: {
    readonly callTimeoutMs: number;
    readonly callTimeoutMsMax: number;
    readonly streamTimeoutMsMax: number;
    /** Also of a message that came compressed, after it is inflated. */
    readonly requestBytesMax: number;
    /** Whether answers may be compressed. */
    readonly compression: boolean;
    /** Smaller answers never are. */
    readonly compressBytesMin: number;
    readonly requestsPerSecondMax: number;
  };
};

/** What the Connect protocol carries beside an answer. Names in lower case. */
type Metadata = Map<string, readonly string[]>;

/** What a handler knows about its call, and may add to its answer, over HTTP. */
type HttpCallContext = RpcContext & {
  readonly query: string;
  readonly responseHeaders: Metadata;
  readonly responseTrailers: Metadata;
};

/** A call under way. */
type HttpCall = {
  readonly request: AskedRequest;
  readonly form: ConnectForm;
  readonly scope: CallScope;
  readonly context: HttpCallContext;
};

const ENCODINGS = { "accept-encoding": "gzip, identity" };

/**
 * Serves every method by POST, those without side effects by GET too, and streams of responses.
 * Messages are JSON or protobuf, plain or compressed.
 */
export class ConnectRpc {
  readonly #parts: ConnectRpcParts;
  readonly #callers: HttpCallers;

  constructor(parts: ConnectRpcParts) {
    this.#parts = parts;
    this.#callers = new HttpCallers(parts);
  }

  /**
   * The answer to a request under the service's path; undefined if the path is not of that form.
   */
  async serve(request: AskedRequest): Promise<HttpResponse | undefined> {
    const method = this.#parts.services.byPath.get(request.path);
    if (method === undefined) {
      if (!/^\/[\w.]+\.[\w]+\/\w+$/.test(request.path)) return undefined;
      const message = `there is no method ${quotedText(request.path.slice(1))}`;
      return errorAnswer(404, "unimplemented", message);
    }
    const mayGet = method.kind === "unary" && method.idempotent;
    const allow = mayGet ? "GET, HEAD, POST, OPTIONS" : "POST, OPTIONS";
    if (request.method === "OPTIONS") return { status: 204, headers: { allow }, body: "" };
    const asked = request.method === "HEAD" ? "GET" : request.method;
    if (asked !== "POST" && !(asked === "GET" && mayGet)) {
      const message = `${quotedText(request.method)} is not allowed here; use ${allow}`;
      return errorAnswer(405, "unknown", message, { allow });
    }
    const form = asked === "GET" ? readGet(request) : readPost(method.kind, request);
    if (form === undefined) return refuseType(method, asked);
    return this.#call(method, request, form);
  }

  async #call(
    method: BoundMethod,
    request: AskedRequest,
    form: ConnectForm,
  ): Promise<HttpResponse> {
    const startedUs = this.#parts.clock.monotonicUs();
    const { line, spend, end } = this.#callers.begin(request.remoteAddress, request.principal);
    const onEnd = (error: unknown): void => {
      end();
      const failure = error === undefined ? undefined : { error };
      accountFor(this.#parts, { method, carrier: "http", startedUs }, failure);
    };
    let asked: number;
    try {
      asked = readTimeoutMs(request.headers);
    } catch (error) {
      return this.#refuse(method, form, error, onEnd);
    }
    const timeoutMs = effectiveTimeoutMs(method.kind, asked, this.#parts.limits);
    const call = this.#open(request, form, timeoutMs, { line, spend });
    if (method.kind === "unary") return this.#unary(method, call, onEnd);
    return this.#stream(method, call, onEnd);
  }

  /** A call whose deadline runs, and which ends when its client goes away. */
  #open(
    request: AskedRequest,
    form: ConnectForm,
    timeoutMs: number,
    share: Pick<RpcContext, "line" | "spend">,
  ): HttpCall {
    const scope = new CallScope(this.#parts.clock, timeoutMs);
    const onGone = (): void => scope.end(new RpcError("canceled", "the client is gone"));
    if (request.signal.aborted) onGone();
    else request.signal.addEventListener("abort", onGone, { once: true });
    const context: HttpCallContext = {
      ...share,
      signal: scope.signal,
      remoteAddress: request.remoteAddress,
      principal: request.principal,
      metadata: request.headers,
      query: request.query,
      responseHeaders: new Map(),
      responseTrailers: new Map(),
    };
    return { request, form, scope, context };
  }

  async #unary(
    method: BoundMethod & { kind: "unary" },
    call: HttpCall,
    onEnd: (error: unknown) => void,
  ): Promise<HttpResponse> {
    const { form, scope, context, request } = call;
    try {
      const message = await scope.race(this.#readMessage(method, form, context));
      const response = await scope.race(method.handle(message, context));
      const encode = oneStep(() => encodeMessage(method.response, response, form.encoding));
      const plain = await scope.race(context.line.run(encode));
      const gzips = this.#gzipBytesMin(form) <= plain.length;
      const body = gzips ? await scope.race(deflateMessage(plain)) : plain;
      onEnd(undefined);
      const headers = {
        "content-type": form.contentType,
        ...(gzips ? { "content-encoding": "gzip" } : {}),
        ...(this.#parts.limits.compression ? { vary: "accept-encoding" } : {}),
        // What a GET is answered with is out of date the moment after.
        ...(request.method === "POST" ? {} : { "cache-control": "no-store" }),
        ...metadataHeaders(context),
      };
      return { status: 200, headers, body };
    } catch (error) {
      const failure = toRpcError(error);
      onEnd(error);
      const headers = { ...ENCODINGS, ...metadataHeaders(context) };
      return jsonAnswer(failure.httpStatus, errorJson(failure), headers);
    } finally {
      scope.close();
    }
  }

  async #stream(
    method: BoundMethod & { kind: "server-streaming" },
    call: HttpCall,
    onEnd: (error: unknown) => void,
  ): Promise<HttpResponse> {
    const { request, form, scope, context } = call;
    const gzipBytesMin = this.#gzipBytesMin(form);
    const gzips = gzipBytesMin !== Infinity;
    const stream = new StreamAnswer({
      responses: this.#responses(method, call),
      scope,
      encode: (response) => encodeMessage(method.response, response, form.encoding),
      gzipBytesMin: gzips ? gzipBytesMin : undefined,
      trailers: context.responseTrailers,
      onEnd,
    });
    await stream.begin();
    if (request.signal.aborted) stream.abandon();
    else request.signal.addEventListener("abort", () => stream.abandon(), { once: true });
    const headers = {
      "content-type": form.contentType,
      "connect-accept-encoding": "gzip",
      ...(gzips ? { "connect-content-encoding": "gzip" } : {}),
      ...joined(context.responseHeaders),
    };
    return { status: 200, headers, body: stream };
  }

  /** The responses of a method; a request that is none fails as the first of them. */
  async *#responses(
    method: BoundMethod & { kind: "server-streaming" },
    { form, context }: HttpCall,
  ): AsyncGenerator<unknown> {
    const message = await this.#readMessage(method, form, context);
    yield* method.handle(message, context);
  }

  async #readMessage(
    method: BoundMethod,
    form: ConnectForm,
    { line, spend, principal }: Pick<RpcContext, "line" | "spend" | "principal">,
  ): Promise<unknown> {
    // Before anything is made of what a stranger sends.
    requireCall(principal, method.name);
    const { requestBytesMax } = this.#parts.limits;
    const { bytes, gzipped } = form.readMessage();
    if (bytes.byteLength > requestBytesMax) throw tooLarge("the message", requestBytesMax);
    // A message without bytes is one of defaults, compressed or not.
    const inflates = gzipped && bytes.byteLength > 0;
    const plain = inflates ? await inflateMessage(bytes, requestBytesMax) : bytes;
    // A small one is paid for by the request that it is.
    spend(Math.floor(plain.byteLength / BYTES_PER_REQUEST));
    return line.run(oneStep(() => decodeMessage(method.request, plain, form.encoding)));
  }

  /** A request whose deadline cannot be read never becomes a call. */
  #refuse(
    method: BoundMethod,
    form: ConnectForm,
    error: unknown,
    onEnd: (error: unknown) => void,
  ): HttpResponse {
    const failure = toRpcError(error);
    onEnd(error);
    if (method.kind === "unary") return jsonAnswer(failure.httpStatus, errorJson(failure));
    const end = encodeEnvelope(JSON.stringify({ error: errorJson(failure) }), "end");
    return { status: 200, headers: { "content-type": form.contentType }, body: end };
  }

  /** From which size on an answer is compressed; infinite if the client or the operator forbids. */
  #gzipBytesMin(form: ConnectForm): number {
    const { compression, compressBytesMin } = this.#parts.limits;
    return compression && form.acceptsGzip ? compressBytesMin : Infinity;
  }
}

function refuseType(method: BoundMethod, asked: "GET" | "POST"): HttpResponse {
  const types = acceptedTypes(method.kind);
  const message =
    asked === "GET"
      ? "the query's encoding must be json or proto"
      : `content-type must be one of ${types}`;
  return errorAnswer(415, "unknown", message, { "accept-post": types });
}

/** Leading metadata as headers, trailing metadata as headers with a prefix. */
function metadataHeaders({
  responseHeaders,
  responseTrailers,
}: HttpCallContext): Record<string, string> {
  return { ...joined(responseHeaders), ...joined(responseTrailers, "trailer-") };
}

function joined(metadata: Metadata, prefix = ""): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of metadata) headers[prefix + name] = values.join(", ");
  return headers;
}
