// Plain interfaces, enums as unions of their value names, and one codec per message.
import { docComment } from "./schema.mjs";

export function generateMessages(schema) {
  const used = new Set(schema.messages.flatMap(({ fields }) => fields.map(({ type }) => type)));
  return [
    'import { createEnumTable, createMessageCodec } from "../codec/message-codec.ts";',
    'import type { EnumTable, MessageCodec } from "../codec/message-codec.ts";',
    'import type { Mantissa } from "../model/decimal.ts";',
    "",
    'export type { MessageCodec, MessageInit } from "../codec/message-codec.ts";',
    "",
    ...schema.enums.map(generateEnum),
    ...schema.enums.filter(({ name }) => used.has(name)).map(generateEnumTable),
    ...schema.messages.map(generateInterface),
    ...schema.messages.map(generateCodec),
  ].join("\n");
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

function generateEnumTable(description) {
  return `const ${description.name}Table: EnumTable = /* @__PURE__ */ createEnumTable(
  "${description.fullName}",
  ${description.name}Numbers,
  "${description.unknown}",
);
`;
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
  const lines = fields.map((field) => `    ${fieldLiteral(field)},\n`).join("");
  const list = fields.length === 0 ? "[]" : `[\n${lines}  ]`;
  return `/** Codec of ${name}. */
export const ${name}Codec: MessageCodec<${name}> = /* @__PURE__ */ createMessageCodec({
  name: "${fullName}",
  fields: ${list},
});
`;
}

function fieldLiteral(field) {
  const parts = [
    `number: ${field.number}`,
    `name: "${field.name}"`,
    `protoName: "${field.protoName}"`,
    `kind: "${field.kind}"`,
  ];
  if (field.kind === "integer32" || field.kind === "integer64") parts.push(`type: "${field.type}"`);
  if (field.kind === "enum") parts.push(`enum: ${field.type}Table`);
  if (field.kind === "message" || field.kind === "raw") {
    parts.push(`message: () => ${field.type}Codec`);
  }
  if (field.repeated) parts.push("repeated: true");
  if (field.optional) parts.push("optional: true");
  if (field.oneof !== undefined) parts.push(`oneof: "${field.oneof}"`);
  return `{ ${parts.join(", ")} }`;
}
