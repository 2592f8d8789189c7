// Plain interfaces, enums as unions of their value names, and one codec per message.
import { byCodeUnits, docComment, reachable, rootsOf } from "./schema.mjs";

/** The messages of calls besides those of the service. */
const CALL_ROOTS = ["Call", "Cancel", "Credit", "Reply", "ErrorDetail"];

/**
 * The interfaces of all messages, and their codecs in modules of their own: a page that has made no
 * call yet need not have loaded those of calls, and no page those of the bus.
 */
export function generateMessages(schema, serviceName) {
  const service = schema.services.find(({ fullName }) => fullName === serviceName);
  const calls = [...CALL_ROOTS, ...rootsOf(service)];
  const files = ["stream-codecs.ts", "call-codecs.ts", "other-codecs.ts"];
  const groups = [streamRoots(schema), calls, schema.messages.map(({ name }) => name)];
  const modules = [];
  for (const [index, roots] of groups.entries()) {
    modules.push(codecModule(schema, files[index], { roots, before: [...modules] }));
  }
  return {
    "messages.ts": generateDoor(modules),
    "message-types.ts": generateTypes(schema),
    ...Object.fromEntries(modules.map((each) => [each.file, generateCodecs(schema, each)])),
  };
}

/** What goes over a connection besides calls. */
function streamRoots(schema) {
  const members = schema.messages
    .filter(({ name }) => name === "ClientMessage" || name === "ServerMessage")
    .flatMap(({ fields }) => fields.map(({ type }) => type));
  return ["Batch", "Base", ...members.filter((name) => !CALL_ROOTS.includes(name))];
}

/** The messages and tables that the roots need, without those of the modules before. */
function codecModule(schema, file, { roots, before }) {
  const reached = reachable(schema, roots);
  const used = new Set(schema.messages.flatMap(({ fields }) => fields.map(({ type }) => type)));
  const isNew = (name) => !before.some(({ names }) => names.has(name));
  const messages = schema.messages.filter(
    ({ name }) => reached.messages.includes(name) && isNew(name),
  );
  const tables = schema.enums.filter(
    ({ name }) => reached.enums.includes(name) && used.has(name) && isNew(name),
  );
  const names = new Set([...messages, ...tables].map(({ name }) => name));
  return { file, messages, tables, names, before };
}

function generateDoor(modules) {
  return [
    'export type { MessageCodec, MessageInit } from "../codec/message-codec.ts";',
    'export * from "./message-types.ts";',
    ...modules.map(exportOf),
    "",
  ].join("\n");
}

function generateTypes(schema) {
  return [
    'import type { Mantissa } from "../model/decimal.ts";',
    "",
    ...schema.enums.map(generateEnum),
    ...schema.messages.map(generateInterface),
  ].join("\n");
}

function generateCodecs(schema, { tables, messages, before }) {
  const references = new Set(messages.flatMap(({ fields }) => fields.map(referenceOf)));
  const imports = before.map((each) => importOf(each, references)).filter(Boolean);
  const types = messages.map(({ name }) => name).sort(byCodeUnits);
  return [
    ...codecImports(tables.length > 0),
    ...imports,
    `import type {\n${types.map((name) => `  ${name},`).join("\n")}\n} from "./message-types.ts";`,
    "",
    ...tables.map(generateEnumTable),
    ...inDependencyOrder(schema.messages)
      .filter((message) => messages.includes(message))
      .map(generateCodec),
  ].join("\n");
}

function codecImports(hasTables) {
  return hasTables
    ? [
        'import { createEnumTable } from "../codec/enum-table.ts";',
        'import type { EnumTable } from "../codec/enum-table.ts";',
        'import { createMessageCodec } from "../codec/message-codec.ts";',
        'import type { MessageCodec } from "../codec/message-codec.ts";',
      ]
    : [
        'import { createMessageCodec } from "../codec/message-codec.ts";',
        'import type { MessageCodec } from "../codec/message-codec.ts";',
      ];
}

function exportOf({ file, messages }) {
  const names = messages.map(({ name }) => `  ${name}Codec,`).sort(byCodeUnits);
  return `export {\n${names.join("\n")}\n} from "./${file}";`;
}

/** What of a module the references are to; undefined if nothing is. */
function importOf({ file, messages, tables }, references) {
  const names = [
    ...tables.map(({ name }) => `${name}Table`),
    ...messages.map(({ name }) => `${name}Codec`),
  ]
    .filter((name) => references.has(name))
    .sort(byCodeUnits);
  if (names.length === 0) return undefined;
  return `import {\n${names.map((name) => `  ${name},`).join("\n")}\n} from "./${file}";`;
}

function generateEnum(description) {
  const names = description.values.map(({ name }) => `  | "${name}"`).join("\n");
  const numbers = description.values.map(({ name, number }) => `  ${name}: ${number},`).join("\n");
  const documented = description.values
    .filter(({ comment }) => comment)
    .map(({ name, comment }) => `- ${name}: ${comment.replaceAll("\n", " ")}`);
  const comment = [description.comment, ...documented].filter(Boolean).join("\n");
  return `${docComment(comment)}export type ${description.name} =
${names};

/** The numbers of ${description.name}. */
export const ${description.name}Numbers = {
${numbers}
} as const satisfies Record<${description.name}, number>;
`;
}

function generateEnumTable({ name, values, unknown }) {
  const prefix = enumPrefix(name);
  let next = 0;
  const words = values.map((value) => {
    if (!value.name.startsWith(prefix)) throw new Error(`${value.name} lacks the prefix ${prefix}`);
    const word = value.name.slice(prefix.length);
    const text = value.number === next ? word : `${word}=${value.number}`;
    next = value.number + 1;
    return text;
  });
  return `/** Names and numbers of ${name}. */
export const ${name}Table: EnumTable = /* @__PURE__ */ createEnumTable(
  "${prefix}",
  "${words.join(" ")}",
  "${unknown.slice(prefix.length)}",
);
`;
}

/** `AGGRESSOR_SIDE_` for AggressorSide. */
function enumPrefix(name) {
  return `${name.replace(/(?<!^)[A-Z]/g, "_$&").toUpperCase()}_`;
}

/** Every message after those that its fields have. Throws for messages that contain themselves. */
function inDependencyOrder(messages) {
  const byName = new Map(messages.map((message) => [message.name, message]));
  const ordered = new Set();
  const visit = (message, path) => {
    if (path.includes(message)) throw new Error(`${message.fullName} contains itself`);
    for (const { kind, type } of message.fields) {
      if (kind === "message") visit(byName.get(type), [...path, message]);
    }
    ordered.add(message);
  };
  for (const message of messages) visit(message, []);
  return [...ordered];
}

function generateInterface({ name, comment, fields }) {
  const lines = [];
  const oneofsDone = new Set();
  for (const field of fields) {
    if (field.oneof === undefined) {
      lines.push(
        `${docComment(field.comment, "  ")}  readonly ${field.name}: ${fieldType(field)};`,
      );
    } else if (!oneofsDone.has(field.oneof)) {
      oneofsDone.add(field.oneof);
      lines.push(oneofLines(field.oneof, fields));
    }
  }
  if (lines.length === 0)
    return `${docComment(comment)}export type ${name} = Record<never, never>;\n`;
  return `${docComment(comment)}export type ${name} = {\n${lines.join("\n")}\n};\n`;
}

function oneofLines(oneof, fields) {
  const members = fields
    .filter((field) => field.oneof === oneof)
    .map(
      (field) => `    | { readonly kind: "${field.name}"; readonly value: ${elementType(field)} }`,
    );
  return [
    "  /** Undefined if there is none of these, or one that this schema does not know. */",
    `  readonly ${oneof}:`,
    ...members,
    "    | undefined;",
  ].join("\n");
}

function fieldType(field) {
  if (field.repeated) return `readonly ${parenthesized(elementType(field))}[]`;
  const absent = field.optional || field.kind === "message" || field.kind === "raw";
  return absent ? `${elementType(field)} | undefined` : elementType(field);
}

function parenthesized(type) {
  return type.includes("|") ? `(${type})` : type;
}

function elementType(field) {
  switch (field.kind) {
    case "integer32":
      return "number";
    case "integer64":
      // Columns hold mantissas and their differences; everything else is a count, a time or an
      // identifier.
      return field.repeated ? "Mantissa" : "number";
    case "bool":
      return "boolean";
    case "string":
      return "string";
    case "bytes":
    case "raw":
      return "Uint8Array";
    case "map":
      return "Readonly<Record<string, string>>";
    case "enum":
    case "message":
      return field.type;
    default:
      throw new Error(`field kind ${field.kind}`);
  }
}

function generateCodec({ name, fullName, fields }) {
  const text = fields.map((field, index) => fieldText(field, fields[index - 1])).join(" ");
  const references = fields.map(referenceOf).filter(Boolean);
  const list = references.length === 0 ? "" : `\n  [${references.join(", ")}],`;
  return `/** Codec of ${name}. */
export const ${name}Codec: MessageCodec<${name}> = /* @__PURE__ */ createMessageCodec(
  "${fullName}",
  "${text}",${list}
);
`;
}

const LETTERS = {
  uint32: "u",
  uint64: "U",
  int64: "I",
  sint64: "Z",
  bool: "b",
  enum: "e",
  string: "s",
  bytes: "y",
  message: "m",
  raw: "w",
  map: "M",
};

/** As MessageSpec reads it. */
function fieldText(field, before) {
  const isInteger = field.kind === "integer32" || field.kind === "integer64";
  const letter = LETTERS[isInteger ? field.type : field.kind];
  if (letter === undefined) {
    throw new Error(`${field.protoName}: message-spec.ts has no letter for ${field.type} yet`);
  }
  if (protoNameOf(field.name) !== field.protoName) {
    throw new Error(`${field.protoName} cannot be told from ${field.name}`);
  }
  const flag = field.repeated ? "*" : field.optional ? "?" : "";
  const member = field.oneof === undefined ? "" : `@${field.oneof}`;
  const number = field.number === (before?.number ?? 0) + 1 ? "" : field.number;
  return `${number}${letter}${flag}${field.name}${member}`;
}

/** The same as in message-json.ts. */
function protoNameOf(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function referenceOf({ kind, type }) {
  if (kind === "enum") return `${type}Table`;
  return kind === "message" ? `${type}Codec` : undefined;
}
