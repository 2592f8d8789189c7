// What a request of the Connect protocol says: https://connectrpc.com/docs/protocol/
import { quotedText } from "#core/visible-text.ts";
import { Buffer } from "node:buffer";
import { RpcError } from "../rpc/rpc-error.ts";
import type { HttpRequest, RequestHeaders } from "../transport/transport.ts";
import type { Encoding } from "./connect-message.ts";
import { readEnvelopes } from "./envelope.ts";
import { acceptsGzip } from "./gzip.ts";

/** One message of a request, as it came. */
type EncodedMessage = { readonly bytes: Uint8Array; readonly gzipped: boolean };

/** A request in one of its three forms: GET, or POST with or without envelopes. */
export type ConnectForm = {
  readonly encoding: Encoding;
  /** Content type of the answer, if the call is answered at all. */
  readonly contentType: string;
  /** Whether the client takes compressed answers. */
  readonly acceptsGzip: boolean;
  /** Reads the message. Throws RpcError. */
  readMessage(): EncodedMessage;
};

const UNARY_TYPES: ReadonlyMap<string, Encoding> = new Map([
  ["application/json", "json"],
  ["application/proto", "proto"],
]);
const STREAM_TYPES: ReadonlyMap<string, Encoding> = new Map([
  ["application/connect+json", "json"],
  ["application/connect+proto", "proto"],
]);

/** The content types that a method takes, as `Accept-Post` lists them. */
export function acceptedTypes(kind: "unary" | "server-streaming"): string {
  return [...typesOf(kind).keys()].join(", ");
}

function typesOf(kind: "unary" | "server-streaming"): ReadonlyMap<string, Encoding> {
  return kind === "unary" ? UNARY_TYPES : STREAM_TYPES;
}

/** A request by POST; undefined if its content type is none that the method takes. */
export function readPost(
  kind: "unary" | "server-streaming",
  { headers, body }: HttpRequest,
): ConnectForm | undefined {
  const [type = "", ...parameters] = (headers.get("content-type") ?? "").split(";");
  const contentType = type.trim().toLowerCase();
  const encoding = typesOf(kind).get(contentType);
  if (encoding === undefined || !parameters.every(isUtf8)) return undefined;
  if (kind === "unary") {
    return {
      encoding,
      contentType,
      acceptsGzip: acceptsGzip(headers.get("accept-encoding")),
      readMessage: () => {
        requireVersion(headers.get("connect-protocol-version"), "1");
        return { bytes: body, gzipped: isGzip(headers.get("content-encoding")) };
      },
    };
  }
  return {
    encoding,
    contentType,
    acceptsGzip: acceptsGzip(headers.get("connect-accept-encoding")),
    readMessage: () => readStreamMessage(headers, body),
  };
}

/** A request by GET; undefined if it names an encoding of messages that is none of ours. */
export function readGet({ query, headers }: HttpRequest): ConnectForm | undefined {
  const parameters = parseQuery(query);
  const encoding = asText(parameters.get("encoding"));
  if (encoding !== "json" && encoding !== "proto") return undefined;
  return {
    encoding,
    contentType: `application/${encoding}`,
    acceptsGzip: acceptsGzip(headers.get("accept-encoding")),
    readMessage: () => {
      requireVersion(asText(parameters.get("connect")), "v1");
      requireVersion(headers.get("connect-protocol-version"), "1");
      const message = parameters.get("message");
      if (message === undefined) {
        throw new RpcError("invalid_argument", "the query has no parameter message");
      }
      const bytes = asText(parameters.get("base64")) === "1" ? fromBase64(message) : message;
      return { bytes, gzipped: isGzip(asText(parameters.get("compression"))) };
    },
  };
}

/** The protocol allows ten digits. */
const TIMEOUT = /^\d{1,10}$/;

/** The deadline that a request asks for, in ms; 0 if it names none. Throws RpcError. */
export function readTimeoutMs(headers: RequestHeaders): number {
  const timeout = headers.get("connect-timeout-ms");
  if (timeout === undefined) return 0;
  if (!TIMEOUT.test(timeout)) {
    const message = `connect-timeout-ms ${quotedText(timeout)} is not a number of ms`;
    throw new RpcError("invalid_argument", message);
  }
  // 0 is a deadline that has passed, not the absence of one.
  return Math.max(1, Number(timeout));
}

function readStreamMessage(headers: RequestHeaders, body: Uint8Array): EncodedMessage {
  requireVersion(headers.get("connect-protocol-version"), "1");
  const mayBeGzipped = isGzip(headers.get("connect-content-encoding"));
  const [first, ...others] = readEnvelopes(body);
  if (first === undefined || others.length > 0) {
    const message = `a stream of responses is asked for by one message, not by ${1 + others.length}`;
    throw new RpcError("unimplemented", first === undefined ? "there is no message" : message);
  }
  if (first.gzipped && !mayBeGzipped) {
    const message = "the message is compressed, but connect-content-encoding names no encoding";
    throw new RpcError("internal", message);
  }
  return first;
}

/** JSON is UTF-8 by its definition, so nothing else may be named. */
function isUtf8(parameter: string): boolean {
  const [name = "", value = ""] = parameter.split("=");
  if (name.trim().toLowerCase() !== "charset") return true;
  return /^"?utf-?8"?$/i.test(value.trim());
}

function requireVersion(version: string | undefined, expected: string): void {
  if (version === undefined || version === expected) return;
  const message = `version ${quotedText(version)} of the protocol is not ${expected}`;
  throw new RpcError("invalid_argument", message);
}

function isGzip(encoding: string | undefined): boolean {
  if (encoding === undefined || encoding === "" || encoding === "identity") return false;
  if (encoding === "gzip") return true;
  const message = `the encoding ${quotedText(encoding)} is not supported; use gzip or identity`;
  throw new RpcError("unimplemented", message);
}

/** Values are bytes, because a message may be. Of a repeated name the first counts. */
function parseQuery(query: string): ReadonlyMap<string, Uint8Array> {
  const parameters = new Map<string, Uint8Array>();
  for (const pair of query.split("&")) {
    const at = pair.indexOf("=");
    const name = asText(percentDecoded(at < 0 ? pair : pair.slice(0, at))) ?? "";
    if (!parameters.has(name))
      parameters.set(name, percentDecoded(at < 0 ? "" : pair.slice(at + 1)));
  }
  return parameters;
}

function percentDecoded(text: string): Uint8Array {
  const bytes = text
    .replaceAll("+", " ")
    .replaceAll(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16)));
  return Buffer.from(bytes, "latin1");
}

function asText(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("latin1");
}

const BASE64 = /^[\w+/-]*={0,2}$/;

function fromBase64(bytes: Uint8Array): Uint8Array {
  const text = asText(bytes) ?? "";
  // A last group of one character has six bits, too few for a byte.
  if (!BASE64.test(text) || text.replace(/=+$/, "").length % 4 === 1) {
    throw new RpcError("invalid_argument", "the parameter message is not base64");
  }
  return Buffer.from(text, "base64url");
}
