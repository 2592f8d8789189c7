// One service: method descriptors, the client stub and the handlers that a server implements.
import { byCodeUnits, docComment, reachable, rootsOf } from "./schema.mjs";

export function generateService(schema, fullName) {
  const service = schema.services.find((candidate) => candidate.fullName === fullName);
  if (service === undefined) throw new Error(`the schema has no service ${fullName}`);
  const roots = rootsOf(service);
  const reached = reachable(schema, roots);
  const messages = reached.messages.toSorted(byCodeUnits);
  const enums = reached.enums.toSorted(byCodeUnits);
  return [
    imports(service, roots),
    reexports(messages, enums),
    descriptor(service),
    clientType(service),
    handlersType(service),
    stub(service),
  ].join("\n");
}

function imports(service, roots) {
  const codecs = [...roots].sort(byCodeUnits).map((name) => `  ${name}Codec,`);
  const types = [...roots].sort(byCodeUnits).map((name) => `  ${name},`);
  return `import type { MessageInit } from "../codec/message-codec.ts";
import { createStub, defineMethod } from "../codec/rpc-method.ts";
import type {
  ServerStreamCall,
  ServerStreamMethod,
  UnaryCall,
  UnaryMethod,
} from "../codec/rpc-method.ts";
import {
${codecs.join("\n")}
} from "./messages.ts";
import type {
${types.join("\n")}
} from "./messages.ts";
`;
}

function reexports(messages, enums) {
  const types = [...messages, ...enums].sort(byCodeUnits).map((name) => `  ${name},`);
  const values = [
    ...messages.map((name) => `${name}Codec`),
    ...enums.map((name) => `${name}Numbers`),
  ].sort(byCodeUnits);
  return `export { MessageJsonError, messageFromJson, messageToJson } from "../codec/message-json.ts";
export type { FieldProblem, FromJsonOptions } from "../codec/message-json.ts";
export type { MessageCodec, MessageInit } from "../codec/message-codec.ts";
export type {
  RpcMethod,
  ServerStreamCall,
  ServerStreamMethod,
  UnaryCall,
  UnaryMethod,
} from "../codec/rpc-method.ts";
export {
${values.map((name) => `  ${name},`).join("\n")}
} from "./messages.ts";
export type {
${types.join("\n")}
} from "./messages.ts";
`;
}

function propertyName(method) {
  return method.name[0].toLowerCase() + method.name.slice(1);
}

function methodType(method) {
  const kind = method.serverStreaming ? "ServerStreamMethod" : "UnaryMethod";
  return `${kind}<${method.request}, ${method.response}>`;
}

function descriptor(service) {
  const types = service.methods.map(
    (method) => `    readonly ${propertyName(method)}: ${methodType(method)};`,
  );
  const values = service.methods.map(
    (method) => `    ${propertyName(method)}: /* @__PURE__ */ defineMethod(
      "${service.fullName}",
      "${method.name}",
      { kind: "${method.serverStreaming ? "server-streaming" : "unary"}", idempotent: ${method.idempotent} },
      { request: ${method.request}Codec, response: ${method.response}Codec },
    ),`,
  );
  return `${docComment(service.comment)}export const ${service.name}: {
  readonly typeName: "${service.fullName}";
  readonly methods: {
${types.join("\n")}
  };
} = {
  typeName: "${service.fullName}",
  methods: {
${values.join("\n")}
  },
};
`;
}

function clientType(service) {
  const methods = service.methods.map((method) => {
    const result = method.serverStreaming ? "AsyncIterable" : "Promise";
    return `${docComment(method.comment, "  ")}  ${propertyName(method)}(
    request: MessageInit<${method.request}>,
    options?: Options,
  ): ${result}<${method.response}>;`;
  });
  return `/** ${service.name} as its callers see it. \`Options\` are the transport's, per call. */
export type ${service.name}Client<Options> = {
${methods.join("\n")}
};
`;
}

function handlersType(service) {
  const methods = service.methods.map((method) => {
    const result = method.serverStreaming
      ? `AsyncIterable<${method.response}>`
      : `${method.response} | Promise<${method.response}>`;
    return `${docComment(method.comment, "  ")}  readonly ${propertyName(method)}: (
    request: ${method.request},
    context: Context,
  ) => ${result};`;
  });
  return `/** ${service.name} as a server implements it. \`Context\` is the server's, per call. */
export type ${service.name}Handlers<Context> = {
${methods.join("\n")}
};
`;
}

function stub(service) {
  return `/** The client's methods over two functions that carry a call. */
export function create${service.name}Client<Options>(
  call: UnaryCall<Options>,
  serverStream: ServerStreamCall<Options>,
): ${service.name}Client<Options> {
  return createStub(${service.name}.methods, call, serverStream) as ${service.name}Client<Options>;
}
`;
}
