/** What is wrong with bytes, or with a value that is to become bytes. */
export type WireErrorCode =
  /** The bytes end in the middle of something. */
  | "truncated"
  /** The bytes are not what the schema says. */
  | "malformed"
  /** A batch on the bus of a channel that is not in this schema; it may be passed over. */
  | "unknown-payload"
  /** An integer field is beyond 2^53 where only safe integers are allowed. */
  | "unsafe-integer";

/**
 * Bytes that cannot be read, or a value that cannot be written. The only error that the codecs
 * throw.
 */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "WireError";
    this.code = code;
  }
}

/** Bytes that are not what the schema says. */
export function malformed(message: string, options?: ErrorOptions): WireError {
  return new WireError("malformed", message, options);
}

/** Bytes that end in the middle of something. */
export function truncated(): WireError {
  return new WireError("truncated", "the bytes end in the midst of a field");
}

/** An integer that a number does not hold. */
export function unsafeInteger(name: string, value: unknown): WireError {
  return new WireError("unsafe-integer", `${name} is ${String(value)}, beyond 2^53`);
}
