import { InvariantError } from "#core/assert.ts";
import { packErrorDetail } from "#wire/frame-codec.ts";

/** google.rpc.Code as the Connect protocol writes it, with the HTTP status that goes with it. */
const HTTP_STATUS_OF_CODE = {
  canceled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
} as const;

type RpcCode = keyof typeof HTTP_STATUS_OF_CODE;

/** What a client can act on without reading the message. */
type RpcErrorDetail = {
  /** Stable, such as `UNKNOWN_SYMBOL`. */
  readonly reason: string;
  /** What goes with the reason. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Worth trying again after this long. */
  readonly retryAfterMs?: number;
};

/** A call failed. Code, message and detail go to the client; `cause` stays in the log. */
export class RpcError extends Error {
  readonly code: RpcCode;
  readonly detail: RpcErrorDetail | undefined;

  constructor(
    code: RpcCode,
    message: string,
    options: ErrorOptions & { readonly detail?: RpcErrorDetail } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "RpcError";
    this.code = code;
    this.detail = options.detail;
  }

  /** What goes to the client beside code and message, as any carrier packs it. */
  get packedDetails(): readonly { readonly typeUrl: string; readonly value: Uint8Array }[] {
    return this.detail === undefined ? [] : [packErrorDetail(this.detail)];
  }

  get httpStatus(): number {
    return HTTP_STATUS_OF_CODE[this.code];
  }
}

/**
 * Whatever was thrown as an RpcError; what is none becomes `internal` without detail.
 * @throws `error` itself if it is a broken invariant: that ends the process, not a call.
 */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof InvariantError) throw error;
  return new RpcError("internal", "internal error", { cause: error });
}

/** The schema's name of a code: `CODE_NOT_FOUND`. The schema spells `CODE_CANCELLED` with two l. */
export function wireCodeOf<Code extends string>(code: RpcCode): Code {
  return (code === "canceled" ? "CODE_CANCELLED" : `CODE_${code.toUpperCase()}`) as Code;
}

/** The reverse of `wireCodeOf`; what the schema does not know is `unknown`. */
export function codeOfWire(wireCode: string): RpcCode {
  if (wireCode === "CODE_CANCELLED") return "canceled";
  const code = wireCode.replace(/^CODE_/, "").toLowerCase();
  return code in HTTP_STATUS_OF_CODE ? (code as RpcCode) : "unknown";
}
