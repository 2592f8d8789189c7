import { ErrorDetailCodec, type Code, type RpcStatus } from "@tickwire/proto/messages";
import type { MessageInit } from "@tickwire/proto/service";
import { RpcError, type ErrorDetail, type RpcErrorCode } from "../errors.ts";
import { TIMER_MS_MAX } from "../host/option-checks.ts";
import type { CallOptions } from "./call-options.ts";

/** What an error says of the call that it ends. */
type CallAttempt = {
  readonly method: Named;
  /** 0 while the call has not been sent. */
  readonly callId: number;
};

type Named = { readonly fullName: string };

/** What an RpcError says of a call that was sent. */
export function whereOf(method: Named) {
  return { method: method.fullName, sent: true };
}

/** The error of a call that did not succeed for a reason of this side. */
export function failure(
  call: CallAttempt,
  code: RpcErrorCode,
  message: string,
  options: { readonly cause?: unknown; readonly retryable?: boolean } = {},
): RpcError {
  const { method, callId } = call;
  return new RpcError(code, message, { ...options, method: method.fullName, sent: callId !== 0 });
}

/** The error that the gateway's status stands for; undefined for success. */
export function errorOfStatus(call: CallAttempt, status: RpcStatus): RpcError | undefined {
  const code = rpcErrorCode(status.code);
  if (code === undefined) return undefined;
  const details = errorDetailsOf(status);
  const retryable =
    code === "unavailable" ||
    (code === "resource-exhausted" && details.some((detail) => detail.retryAfterMs !== undefined));
  const { fullName } = call.method;
  return new RpcError(code, status.message || code, {
    details,
    retryable,
    method: fullName,
    sent: true,
  });
}

/** Throws RpcError `invalid-argument` for options that no call may have. */
export function assertCallOptions({ fullName }: Named, { timeoutMs, metadata }: CallOptions): void {
  const where = { method: fullName, sent: false };
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= TIMER_MS_MAX)) {
    const message = `timeoutMs ${timeoutMs} is not above 0 and at most ${TIMER_MS_MAX}`;
    throw new RpcError("invalid-argument", message, where);
  }
  for (const [key, value] of Object.entries(metadata ?? {})) {
    if (typeof value === "string") continue;
    throw new RpcError("invalid-argument", `metadata.${key} is not text`, where);
  }
}

/** Throws RpcError `invalid-argument` for a request that does not fit its message. */
export function encodeRequest<Request>(
  method: Named & { readonly request: { encode(value: MessageInit<Request>): Uint8Array } },
  request: MessageInit<Request>,
): Uint8Array {
  try {
    return method.request.encode(request);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : "the request cannot be encoded";
    throw new RpcError("invalid-argument", message, {
      method: method.fullName,
      sent: false,
      cause,
    });
  }
}

/** Throws RpcError `internal` for a response that cannot be read. */
export function decodeResponse<Response>(
  method: Named & { readonly response: { decode(bytes: Uint8Array): Response } },
  bytes: Uint8Array,
): Response {
  try {
    return method.response.decode(bytes);
  } catch (cause) {
    const message = "the response cannot be read";
    throw new RpcError("internal", message, { ...whereOf(method), cause });
  }
}

const ERROR_DETAIL_TYPE = "type.googleapis.com/tickwire.v1.ErrorDetail";

/** The details of a status that this client understands. Throws WireError on damaged ones. */
function errorDetailsOf(status: RpcStatus): ErrorDetail[] {
  return status.details
    .filter((any) => any.typeUrl === ERROR_DETAIL_TYPE)
    .map((any) => {
      const { reason, metadata, retryAfterMs } = ErrorDetailCodec.decode(any.value);
      return { reason, metadata, retryAfterMs: retryAfterMs === 0 ? undefined : retryAfterMs };
    });
}

/**
 * `CODE_NOT_FOUND` as `not-found`; undefined for success. What a newer gateway invents has been
 * read as `CODE_UNKNOWN` already.
 */
function rpcErrorCode(code: Code): RpcErrorCode | undefined {
  if (code === "CODE_UNSPECIFIED") return undefined;
  return code.slice("CODE_".length).toLowerCase().replaceAll("_", "-") as RpcErrorCode;
}
