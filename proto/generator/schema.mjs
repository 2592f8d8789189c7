// The schema by reflection, reduced to what the generators of TypeScript need.
import path from "node:path";
import protobuf from "protobufjs";

const INTEGERS_32 = new Set(["int32", "uint32", "sint32", "fixed32", "sfixed32"]);
const INTEGERS_64 = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);
const OTHERS = new Set(["bool", "string", "bytes"]);

/**
 * Kept as encoded bytes inside other messages: the hot reader takes them from there. Their JSON is
 * that of a Batch (codec/message-json.ts), so another one would need more than a name here.
 */
const RAW_MESSAGES = new Set(["tickwire.v1.Batch"]);

/**
 * Reads the files. `messages` and `enums` are in order of their full names, so that the output does
 * not depend on the order of the files.
 */
export function loadSchema(folder, files) {
  const root = new protobuf.Root();
  root.resolvePath = (origin, target) =>
    target.startsWith("google/") ? target : path.join(folder, target);
  root.loadSync(files, { alternateCommentMode: true, keepCase: true });
  root.resolveAll();

  const messages = [];
  const enums = [];
  const services = [];
  visit(root, (object) => {
    if (object instanceof protobuf.Type) messages.push(describeMessage(object));
    else if (object instanceof protobuf.Enum) enums.push(describeEnum(object));
    else if (object instanceof protobuf.Service) services.push(describeService(object));
  });
  for (const list of [messages, enums, services]) list.sort(byFullName);
  assertUniqueNames([...messages, ...enums]);
  return { messages, enums, services };
}

function visit(namespace, see) {
  for (const object of namespace.nestedArray) {
    see(object);
    if (object.nestedArray && !(object instanceof protobuf.Service)) visit(object, see);
  }
}

function byFullName(a, b) {
  return a.fullName < b.fullName ? -1 : 1;
}

function assertUniqueNames(objects) {
  const names = new Set();
  for (const { name, fullName } of objects) {
    if (names.has(name)) throw new Error(`${fullName}: another message or enum is named ${name}`);
    names.add(name);
  }
}

function describeMessage(type) {
  const fields = type.fieldsArray
    .map((field) => describeField(field.resolve()))
    .sort((a, b) => a.number - b.number);
  return { name: type.name, fullName: trimDot(type.fullName), comment: type.comment, fields };
}

function describeField(field) {
  const description = {
    number: field.id,
    protoName: field.name,
    name: camelCase(field.name),
    comment: field.comment,
    repeated: field.repeated,
    // `optional` fields are one-member oneofs in descriptors; what is left here are the real ones.
    oneof:
      field.partOf && !field.partOf.isProto3Optional ? camelCase(field.partOf.name) : undefined,
    optional: Boolean(field.partOf?.isProto3Optional),
    ...describeType(field),
  };
  if (description.optional && description.kind === "message") description.optional = false;
  return description;
}

function describeType(field) {
  if (field.map) {
    if (field.keyType !== "string" || field.type !== "string") {
      throw new Error(`${field.fullName}: only map<string, string> is supported`);
    }
    return { kind: "map", type: "string" };
  }
  const resolved = field.resolvedType;
  if (resolved instanceof protobuf.Enum) {
    return { kind: "enum", type: resolved.name, typeFullName: trimDot(resolved.fullName) };
  }
  if (resolved instanceof protobuf.Type) {
    const fullName = trimDot(resolved.fullName);
    return {
      kind: RAW_MESSAGES.has(fullName) ? "raw" : "message",
      type: resolved.name,
      typeFullName: fullName,
    };
  }
  if (INTEGERS_32.has(field.type)) return { kind: "integer32", type: field.type };
  if (INTEGERS_64.has(field.type)) return { kind: "integer64", type: field.type };
  if (OTHERS.has(field.type)) return { kind: field.type, type: field.type };
  throw new Error(`${field.fullName}: fields of type ${field.type} are not supported`);
}

function describeEnum(type) {
  const values = Object.entries(type.values).map(([name, number]) => ({
    name,
    number,
    comment: type.comments[name],
  }));
  return {
    name: type.name,
    fullName: trimDot(type.fullName),
    comment: type.comment,
    values,
    // What a number that this schema does not know is read as: a code that nobody knows is not
    // success.
    unknown: (values.find(({ name }) => name.endsWith("_UNKNOWN")) ?? values[0]).name,
  };
}

function describeService(service) {
  const methods = service.methodsArray.map((method) => {
    method.resolve();
    if (method.requestStream) throw new Error(`${method.fullName}: client streaming`);
    return {
      name: method.name,
      comment: method.comment,
      request: method.resolvedRequestType.name,
      response: method.resolvedResponseType.name,
      serverStreaming: Boolean(method.responseStream),
      idempotent: method.options?.idempotency_level === "NO_SIDE_EFFECTS",
    };
  });
  return {
    name: service.name,
    fullName: trimDot(service.fullName),
    comment: service.comment,
    methods,
  };
}

function trimDot(name) {
  return name.replace(/^\./, "");
}

function camelCase(name) {
  return name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** A doc comment, or nothing. */
export function docComment(comment, indent = "") {
  if (!comment) return "";
  const lines = comment.replaceAll("*/", "* /").split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  const body = lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n");
  return `${indent}/**\n${body}\n${indent} */\n`;
}

/** The same order on every machine, whatever its locale. */
export const byCodeUnits = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The requests and responses of a service, each once. */
export function rootsOf({ methods }) {
  return [...new Set(methods.flatMap(({ request, response }) => [request, response]))];
}

/** Names of every message and enum that the roots refer to, the roots included. */
export function reachable(schema, roots) {
  const messageOf = new Map(schema.messages.map((message) => [message.name, message]));
  const messages = new Set(roots);
  const enums = new Set();
  for (const name of messages) {
    for (const field of messageOf.get(name).fields) {
      if (field.kind === "message" || field.kind === "raw") messages.add(field.type);
      if (field.kind === "enum") enums.add(field.type);
    }
  }
  return { messages: [...messages], enums: [...enums] };
}
