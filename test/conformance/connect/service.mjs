// The ConformanceService, as its documentation says that a server must behave:
// https://github.com/connectrpc/conformance/blob/main/docs/testing_servers.md
import { setTimeout as sleep } from "node:timers/promises";
import { create, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { RpcError } from "#gateway/rpc/rpc-error.ts";
import { WireError } from "#wire/frame-codec.ts";

const SERVICE = "connectrpc.conformance.v1.ConformanceService";

/** The names of the codes by their numbers. */
const CODES = [
  "unknown",
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];

/** An error with details of any type. */
class ConformanceError extends RpcError {
  #details;

  constructor({ code, message, details }, ...moreDetails) {
    super(CODES[code], message ?? "");
    this.#details = [...details, ...moreDetails];
  }

  get packedDetails() {
    return this.#details;
  }
}

/** The methods that our server can have: those without a stream of requests. */
export function bindConformanceService(registry) {
  const schemaOf = (name) => registry.getMessage(`connectrpc.conformance.v1.${name}`);
  const infoSchema = schemaOf("ConformancePayload.RequestInfo");
  const infoOf = (schema, request, context) =>
    requestInfo({ schema, infoSchema }, request, context);

  const unary = (requestSchema, responseSchema) => async (request, context) => {
    const requested = infoOf(requestSchema, request, context);
    const definition = request.responseDefinition;
    addMetadata(definition, context);
    await delay(definition, context);
    const { response } = definition ?? { response: { case: undefined } };
    if (response.case === "error") {
      throw new ConformanceError(response.value, anyPack(infoSchema, requested));
    }
    const data = response.case === "responseData" ? response.value : new Uint8Array();
    return create(responseSchema, { payload: { data, requestInfo: requested } });
  };

  const serverStream = (requestSchema, responseSchema) =>
    async function* (request, context) {
      const requested = infoOf(requestSchema, request, context);
      const definition = request.responseDefinition;
      addMetadata(definition, context);
      let requestInfo = requested;
      for (const data of definition?.responseData ?? []) {
        await delay(definition, context);
        yield create(responseSchema, { payload: { data, requestInfo } });
        requestInfo = undefined;
      }
      if (definition?.error === undefined) return;
      const info = requestInfo === undefined ? [] : [anyPack(infoSchema, requested)];
      throw new ConformanceError(definition.error, ...info);
    };

  const unimplemented = () => () => {
    throw new RpcError("unimplemented", "this method is not implemented");
  };

  const bind = (name, kind, idempotent, handlerOf) => {
    const request = schemaOf(`${String(name)}Request`);
    const response = schemaOf(`${String(name)}Response`);
    const fullName = `${SERVICE}/${String(name)}`;
    return {
      name,
      fullName,
      path: `/${fullName}`,
      kind,
      idempotent,
      request: bindMessage(request, registry),
      response: bindMessage(response, registry),
      handle: handlerOf(request, response),
    };
  };
  const methods = [
    bind("Unary", "unary", false, unary),
    bind("IdempotentUnary", "unary", true, unary),
    bind("Unimplemented", "unary", false, unimplemented),
    bind("ServerStream", "server-streaming", false, serverStream),
  ];
  return {
    byFullName: new Map(methods.map((method) => [method.fullName, method])),
    byPath: new Map(methods.map((method) => [method.path, method])),
  };
}

function bindMessage(schema, registry) {
  const orWireError = (read) => {
    try {
      return read();
    } catch (error) {
      throw new WireError("malformed", error.message);
    }
  };
  return {
    name: schema.typeName,
    encode: (message) => toBinary(schema, message),
    decode: (bytes) => orWireError(() => fromBinary(schema, bytes)),
    fromJson: (json) => orWireError(() => fromJson(schema, json, { registry })),
    toJson: (message) => toJson(schema, message, { registry }),
  };
}

/** What the server saw of a request. */
function requestInfo({ schema, infoSchema }, request, { metadata, query }) {
  const timeout = metadata.get("connect-timeout-ms");
  const isGet = query !== "";
  return create(infoSchema, {
    requestHeaders: [...metadata].map(([name, value]) => ({ name, value: value.split(", ") })),
    ...(timeout === undefined ? {} : { timeoutMs: BigInt(timeout) }),
    requests: [anyPack(schema, request)],
    ...(isGet
      ? {
          connectGetInfo: {
            queryParams: [...new URLSearchParams(query)].map(([name, value]) => ({
              name,
              value: [value],
            })),
          },
        }
      : {}),
  });
}

function addMetadata(definition, { responseHeaders, responseTrailers }) {
  for (const { name, value } of definition?.responseHeaders ?? []) {
    responseHeaders.set(name.toLowerCase(), value);
  }
  for (const { name, value } of definition?.responseTrailers ?? []) {
    responseTrailers.set(name.toLowerCase(), value);
  }
}

async function delay(definition, { signal }) {
  const delayMs = definition?.responseDelayMs ?? 0;
  if (delayMs > 0) await sleep(delayMs, undefined, { signal });
}
