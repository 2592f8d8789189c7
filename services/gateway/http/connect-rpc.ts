// The Connect protocol, unary calls: https://connectrpc.com/docs/protocol/
import { Buffer } from "node:buffer";
import { MessageJsonError, messageFromJson, messageToJson } from "@tickwire/proto/service";
import { packErrorDetail, WireError } from "#wire/frame-codec.ts";
import { InvariantError } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { CallScope, effectiveTimeoutMs } from "../rpc/call-scope.ts";
import { invoke } from "../session/call-table.ts";
import { RpcError, toRpcError } from "../rpc/rpc-error.ts";
import type { BoundMethod, RpcContext, ServiceTable } from "../rpc/service-table.ts";
import { errorAnswer, jsonAnswer } from "../transport/http-answer.ts";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";

/** What the HTTP face of the RPCs needs of the gateway. */
type ConnectRpcParts = {
  readonly services: ServiceTable;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly limits: { readonly callTimeoutMs: number; readonly callTimeoutMsMax: number };
  onInternalError(method: string, error: unknown): void;
};

type Encoding = "application/json" | "application/proto";

/** The protocol allows ten digits. */
const TIMEOUT = /^\d{1,10}$/;

/** Serves `POST /tickwire.v1.MarketData/<Method>` with JSON or protobuf bodies. */
export class ConnectRpc {
  readonly #parts: ConnectRpcParts;

  constructor(parts: ConnectRpcParts) {
    this.#parts = parts;
  }

  /**
   * The answer to a request under the service's path; undefined if the path is not of that form.
   */
  async serve(request: HttpRequest): Promise<HttpResponse | undefined> {
    const method = this.#parts.services.byPath.get(request.path);
    if (method === undefined) {
      if (!/^\/[\w.]+\.[\w]+\/\w+$/.test(request.path)) return undefined;
      const message = `there is no method ${request.path.slice(1)}`;
      return errorAnswer(404, "unimplemented", message);
    }
    if (request.method !== "POST") {
      const message = `${request.method} is not allowed here; use POST`;
      return errorAnswer(405, "unimplemented", message, { allow: "POST" });
    }
    const encoding = encodingOf(request);
    if (encoding === undefined || method.kind !== "unary") {
      const message = "content-type must be application/json or application/proto";
      return errorAnswer(
        415,
        "unimplemented",
        method.kind === "unary" ? message : streamed(method),
        {
          "accept-post": "application/json, application/proto",
        },
      );
    }
    return this.#call(method, request, encoding);
  }

  async #call(
    method: BoundMethod & { kind: "unary" },
    request: HttpRequest,
    encoding: Encoding,
  ): Promise<HttpResponse> {
    const { clock, metrics, limits } = this.#parts;
    const startedUs = clock.nowUs();
    let scope: CallScope | undefined;
    let code = "ok";
    try {
      const asked = requireProtocol(request);
      const message = decodeRequest(method, request.body, encoding);
      const opened = new CallScope(clock, effectiveTimeoutMs(asked, limits));
      scope = opened;
      request.signal.addEventListener("abort", () => {
        opened.end(new RpcError("canceled", "the client is gone"));
      });
      const context: RpcContext = {
        signal: opened.signal,
        remoteAddress: request.remoteAddress,
        metadata: request.headers,
      };
      const response = await opened.race(invoke(() => method.handle(message, context)));
      return encodeResponse(method, response, encoding);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      const failure = toRpcError(error);
      code = failure.code;
      if (code === "internal") this.#parts.onInternalError(method.fullName, error);
      return failureAnswer(failure);
    } finally {
      scope?.close();
      metrics.calls.inc({ method: method.name, carrier: "http", code });
      metrics.callSeconds.observe({ method: method.name }, (clock.nowUs() - startedUs) / 1e6);
    }
  }
}

/** An error as the Connect protocol writes it, with its detail if there is one. */
function failureAnswer(failure: RpcError): HttpResponse {
  const { code, message, detail, httpStatus } = failure;
  if (detail === undefined) return errorAnswer(httpStatus, code, message);
  const packed = packErrorDetail(detail);
  const type = packed.typeUrl.slice(packed.typeUrl.lastIndexOf("/") + 1);
  const value = Buffer.from(packed.value).toString("base64").replace(/=+$/, "");
  return jsonAnswer(httpStatus, { code, message, details: [{ type, value }] });
}

function streamed(method: BoundMethod): string {
  return `${method.fullName} streams its responses; call it over the WebSocket`;
}

function encodingOf(request: HttpRequest): Encoding | undefined {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  return type === "application/json" || type === "application/proto" ? type : undefined;
}

/** Checks the protocol's headers and returns the timeout in ms, 0 if none is given. */
function requireProtocol(request: HttpRequest): number {
  const version = request.headers.get("connect-protocol-version");
  if (version !== undefined && version !== "1") {
    throw new RpcError("invalid_argument", `connect-protocol-version ${version} is not 1`);
  }
  const contentEncoding = request.headers.get("content-encoding");
  if (contentEncoding !== undefined && contentEncoding !== "identity") {
    const message = `content-encoding ${contentEncoding} is not supported; use identity`;
    throw new RpcError("unimplemented", message);
  }
  const timeout = request.headers.get("connect-timeout-ms");
  if (timeout === undefined) return 0;
  if (!TIMEOUT.test(timeout)) {
    throw new RpcError("invalid_argument", `connect-timeout-ms ${timeout} is not a number of ms`);
  }
  // 0 is a deadline that has passed, not the absence of one.
  return Math.max(1, Number(timeout));
}

function decodeRequest(method: BoundMethod, body: Uint8Array, encoding: Encoding): unknown {
  try {
    if (encoding === "application/proto") return method.request.decode(body);
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
    return messageFromJson(method.request, JSON.parse(text === "" ? "{}" : text));
  } catch (error) {
    const ours =
      error instanceof WireError ||
      error instanceof MessageJsonError ||
      error instanceof SyntaxError;
    if (!ours) throw error;
    const message = `the request is not a ${method.request.name}: ${error.message}`;
    throw new RpcError("invalid_argument", message, { cause: error });
  }
}

function encodeResponse(method: BoundMethod, response: unknown, encoding: Encoding): HttpResponse {
  const body =
    encoding === "application/proto"
      ? method.response.encode(response as never)
      : JSON.stringify(messageToJson(method.response, response as never));
  return { status: 200, headers: { "content-type": encoding }, body };
}
