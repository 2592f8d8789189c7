// Values of every message of the schema, in two forms: as our codecs have them, and as protobufjs
// takes them. Made by protobufjs's reflection, and not from our own descriptions of the schema.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import protobuf from "protobufjs";

/** What protobufjs takes for 64 bits: anything with two halves, which its typings call a Long. */
function long(value: bigint): number {
  const bits = BigInt.asUintN(64, value);
  const low = Number(bits & 0xffff_ffffn) | 0;
  const high = Number(bits >> 32n) | 0;
  return { low, high, unsigned: false } as unknown as number;
}

const PROTO_FOLDER = join(import.meta.dirname, "../../proto");

/** A message as our codecs have it, seen without its type. */
export type Message = Record<string, NonNullable<unknown> | undefined>;

/** Every message type of the schema, Any included. */
export function loadMessageTypes(): protobuf.Type[] {
  const files = readdirSync(PROTO_FOLDER, { recursive: true, encoding: "utf8" })
    .filter((file) => file.startsWith("tickwire") && file.endsWith(".proto"))
    .sort((a, b) => (a < b ? -1 : 1));
  const root = new protobuf.Root();
  root.resolvePath = (_, target) =>
    target.startsWith("google/") ? target : join(PROTO_FOLDER, target);
  root.loadSync(files);
  root.resolveAll();
  const types: protobuf.Type[] = [];
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const object of namespace.nestedArray) {
      if (object instanceof protobuf.Type) types.push(object);
      if (object instanceof protobuf.Namespace) visit(object);
    }
  };
  visit(root);
  return types;
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom("", "ü", "a".repeat(24), "a".repeat(25), "\u{1f680}".repeat(40), "\u0000"),
);
const uint32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 127, 128));
const safe = { min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
const INTEGERS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  uint64: fc.oneof(
    fc.integer({ ...safe, min: 0 }),
    fc.constantFrom(0, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
  ),
  int64: fc.oneof(
    fc.integer(safe),
    fc.constantFrom(0, -1, 2 ** 53 - 1, 1 - 2 ** 53, -(2 ** 31), -(2 ** 32)),
  ),
};
const unsigned64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), edges(2n ** 64n - 1n));
const signed64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  edges(2n ** 63n - 1n),
  fc.constant(-(2n ** 63n)),
);

function edges(maximum: bigint): fc.Arbitrary<bigint> {
  return fc.constantFrom(0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, maximum);
}

/** A number where that is exact, as columns have it. */
function mantissa(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** The field's name in TypeScript: protobufjs has an Any of its own, with the schema's names. */
function nameOf(field: protobuf.Field): string {
  return protobuf.util.camelCase(field.name);
}

/** Values of one message. Batches inside of others are bytes, made by protobufjs. */
export function messageArbitrary(type: protobuf.Type): fc.Arbitrary<Message> {
  const members = new Set(realOneofs(type).flatMap(({ fieldsArray }) => fieldsArray));
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of type.fieldsArray) {
    if (!members.has(field)) fields[nameOf(field)] = fieldArbitrary(field.resolve());
  }
  for (const oneof of realOneofs(type)) {
    const values = oneof.fieldsArray.map((field) =>
      elementArbitrary(field.resolve()).map((value) => ({ kind: field.name, value })),
    );
    fields[oneof.name] = fc.oneof(fc.constant(undefined), ...values);
  }
  return fc.record(fields) as fc.Arbitrary<Message>;
}

function realOneofs(type: protobuf.Type): protobuf.OneOf[] {
  return type.oneofsArray.filter(
    (oneof) => !oneof.fieldsArray.some((field) => field.getOption("proto3_optional") === true),
  );
}

function isOptional(field: protobuf.Field): boolean {
  return field.getOption("proto3_optional") === true;
}

function fieldArbitrary(field: protobuf.Field): fc.Arbitrary<unknown> {
  if (field instanceof protobuf.MapField) {
    const key = fc.oneof(text, fc.constantFrom("constructor", "toString"));
    return fc.uniqueArray(fc.tuple(key, text), { maxLength: 3, selector: ([name]) => name }).map(
      // As our codecs have maps: without a prototype.
      (entries) => Object.assign(Object.create(null), Object.fromEntries(entries)) as Message,
    );
  }
  const element = elementArbitrary(field);
  if (field.repeated) return fc.array(element, { maxLength: 4 });
  const mayBeAbsent = isOptional(field) || field.resolvedType instanceof protobuf.Type;
  return mayBeAbsent ? fc.option(element, { nil: undefined }) : element;
}

function elementArbitrary(field: protobuf.Field): fc.Arbitrary<unknown> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    return fc.constantFrom(...Object.keys(resolvedType.values));
  }
  if (resolvedType instanceof protobuf.Type) {
    const values = messageArbitrary(resolvedType);
    if (resolvedType.name !== "Batch") return values;
    return values.map((batch) => encodeByOracle(resolvedType, batch));
  }
  switch (field.type) {
    case "uint32":
      return uint32;
    case "uint64":
      return field.repeated ? unsigned64.map(mantissa) : (INTEGERS["uint64"] as typeof text);
    case "int64":
    case "sint64":
      return field.repeated ? signed64.map(mantissa) : (INTEGERS["int64"] as typeof text);
    case "bool":
      return fc.boolean();
    case "string":
      return text;
    case "bytes":
      return fc.uint8Array({ maxLength: 200 });
    default:
      throw new Error(`${field.fullName}: no values of ${field.type}`);
  }
}

/** The message as protobufjs takes it. */
function toOracle(type: protobuf.Type, message: Message): Message {
  const result: Message = {};
  for (const field of type.fieldsArray) {
    const oneof = realOneofs(type).find(({ fieldsArray }) => fieldsArray.includes(field));
    const member = oneof && (message[oneof.name] as { kind: string; value: unknown } | undefined);
    const value =
      oneof === undefined
        ? message[nameOf(field)]
        : member?.kind === field.name
          ? member.value
          : undefined;
    if (value === undefined) continue;
    const convert = (element: unknown) => elementToOracle(field, element);
    if (field instanceof protobuf.MapField) result[field.name] = { ...(value as Message) };
    else result[field.name] = field.repeated ? (value as unknown[]).map(convert) : convert(value);
  }
  return result;
}

function elementToOracle(
  { resolvedType, type }: protobuf.Field,
  value: unknown,
): NonNullable<unknown> | undefined {
  if (resolvedType instanceof protobuf.Enum) return resolvedType.values[value as string];
  if (resolvedType instanceof protobuf.Type) {
    return value instanceof Uint8Array
      ? resolvedType.decode(value)
      : toOracle(resolvedType, value as Message);
  }
  return type.endsWith("64") ? long(BigInt(value as bigint)) : (value as NonNullable<unknown>);
}

/** The bytes that protobufjs makes of it. */
export function encodeByOracle(type: protobuf.Type, message: Message): Uint8Array {
  return Uint8Array.from(type.encode(toOracle(type, message)).finish());
}

/** What protobufjs reads from bytes, in the form of proto3 JSON. */
export function oracleJson(type: protobuf.Type, bytes: Uint8Array): Message {
  const options = { longs: String, enums: String, bytes: String };
  const json = JSON.stringify(type.toObject(type.decode(bytes), options));
  return JSON.parse(json.replaceAll('"type_url":', '"typeUrl":')) as Message;
}
