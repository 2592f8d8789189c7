import { Buffer } from "node:buffer";
import { readRequest } from "../rpc/request-checks.ts";
import type { RpcError } from "../rpc/rpc-error.ts";
import { REQUEST_FIELDS_MAX } from "../rpc/service-table.ts";
import type { BoundMessage } from "../rpc/service-table.ts";
import { hasJsonValuesAtMost } from "./json-size.ts";

/** The two encodings of a message in the Connect protocol. */
export type Encoding = "json" | "proto";

/** Throws RpcError if the bytes are no message of this type. */
export function decodeMessage(
  message: BoundMessage,
  bytes: Uint8Array,
  encoding: Encoding,
): unknown {
  return readRequest(message, () => {
    if (encoding === "proto") return message.decode(bytes);
    if (bytes.byteLength === 0) return message.fromJson({});
    if (!hasJsonValuesAtMost(bytes, REQUEST_FIELDS_MAX)) {
      throw new SyntaxError(`it has more than ${REQUEST_FIELDS_MAX} values`);
    }
    return message.fromJson(JSON.parse(decodeText(bytes)));
  });
}

/** The bytes of an answer, or the text of one in JSON. */
export function encodeMessage(
  message: BoundMessage,
  value: unknown,
  encoding: Encoding,
): Uint8Array | string {
  if (encoding === "proto") return message.encode(value as never);
  return JSON.stringify(message.toJson(value));
}

/** Text from bytes that must be UTF-8: a replacement character could change what is asked for. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError("the text is not valid UTF-8");
  }
}

/** An error as the Connect protocol writes it in JSON. */
export function errorJson(failure: RpcError): Readonly<Record<string, unknown>> {
  const { code, message } = failure;
  const details = failure.packedDetails.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value: Buffer.from(value).toString("base64").replace(/=+$/, ""),
  }));
  return details.length === 0 ? { code, message } : { code, message, details };
}
