import protobuf from "protobufjs/minimal.js";
import { decodeMessage, encodeMessage } from "./message-binary.ts";
import { emptyMessage, fieldValue, isDefault } from "./message-spec.ts";
import type {
  EnumTable,
  FieldSpec,
  Integer32Type,
  Integer64Type,
  MessageSpec,
  OneofValue,
  Values,
} from "./message-spec.ts";

const { base64 } = protobuf.util;

export type FromJsonOptions = {
  /** False (the default) reports them: in a request they are typing errors. */
  readonly ignoreUnknownFields?: boolean;
};

/** One thing that is wrong with a JSON document. */
export type FieldProblem = {
  /** Path from the top, such as `topics[2].resume.epoch`; empty for the document itself. */
  readonly field: string;
  /** What is wrong, such as `must be an integer`. */
  readonly problem: string;
};

/** JSON that is not the message that it should be. Names every bad field, not just the first. */
export class MessageJsonError extends Error {
  readonly code = "invalid-json";
  readonly problems: readonly FieldProblem[];

  constructor(messageName: string, problems: readonly FieldProblem[]) {
    const list = problems.map(({ field, problem }) => (field ? `${field} ${problem}` : problem));
    super(`${messageName}: ${list.join("; ")}`);
    this.name = "MessageJsonError";
    this.problems = problems;
  }
}

/** Proto3 JSON of a message: defaults left out, 64-bit integers as text, bytes in base64. */
export function messageToJson(spec: MessageSpec, values: Values): Values {
  const json: Values = {};
  for (const field of spec.fields) {
    const value = fieldValue(values, field);
    if (isDefault(field, value)) continue;
    json[field.name] = field.repeated
      ? (value as readonly unknown[]).map((element) => valueToJson(field, element))
      : valueToJson(field, value);
  }
  return json;
}

function valueToJson(field: FieldSpec, value: unknown): unknown {
  switch (field.kind) {
    case "integer64":
      return String(value);
    case "bytes":
      return base64.encode(value as Uint8Array, 0, (value as Uint8Array).length);
    case "message":
      return messageToJson(field.message().spec, value as Values);
    case "raw": {
      const inner = field.message().spec;
      return messageToJson(inner, decodeMessage(inner, value as Uint8Array));
    }
    case "map":
      return { ...(value as Record<string, string>) };
    case "integer32":
    case "bool":
    case "enum":
    case "string":
      return value;
  }
}

/** The reverse. Throws MessageJsonError with every problem found. */
export function messageFromJson(
  spec: MessageSpec,
  json: unknown,
  options: FromJsonOptions = {},
): Values {
  const parse = new JsonParse(options);
  const values = parse.message(spec, json, "");
  if (parse.problems.length > 0) throw new MessageJsonError(spec.name, parse.problems);
  return values;
}

/** What a parse hands back in place of a value that it has reported. */
const BAD = Symbol("bad");

/** One pass over one document; collects problems instead of stopping at the first. */
class JsonParse {
  readonly problems: FieldProblem[] = [];
  readonly #options: FromJsonOptions;

  constructor(options: FromJsonOptions) {
    this.#options = options;
  }

  message(spec: MessageSpec, json: unknown, path: string): Values {
    const values = emptyMessage(spec);
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      this.#report(path, "must be an object");
      return values;
    }
    for (const [key, value] of Object.entries(json)) {
      const fieldPath = path === "" ? key : `${path}.${key}`;
      const field = spec.fields.find(({ name, protoName }) => name === key || protoName === key);
      if (field === undefined) {
        if (!this.#options.ignoreUnknownFields) {
          this.#report(fieldPath, `is not a field of ${spec.name}`);
        }
      } else if (isGivenTwice(field, key, json)) {
        this.#report(fieldPath, `is given as ${field.name} too`);
      } else if (value !== null) {
        this.#field(field, value, fieldPath, values);
      }
    }
    return values;
  }

  #field(field: FieldSpec, json: unknown, path: string, values: Values): void {
    const value = field.repeated
      ? this.#elements(field, json, path)
      : this.#value(field, json, path);
    if (value === BAD) return;
    if (field.oneof === undefined) {
      values[field.name] = value;
    } else if (values[field.oneof] !== undefined) {
      const other = (values[field.oneof] as OneofValue).kind;
      this.#report(path, `excludes ${other}, which is given too`);
    } else {
      values[field.oneof] = { kind: field.name, value } satisfies OneofValue;
    }
  }

  #elements(field: FieldSpec, json: unknown, path: string): unknown {
    if (!Array.isArray(json)) return this.#report(path, "must be an array");
    return json.map((element: unknown, index) => this.#value(field, element, `${path}[${index}]`));
  }

  #value(field: FieldSpec, json: unknown, path: string): unknown {
    switch (field.kind) {
      case "integer32":
        return this.#integer32(field.type, json, path);
      case "integer64":
        return this.#integer64(field.type, field.repeated === true, json, path);
      case "bool":
        return typeof json === "boolean" ? json : this.#report(path, "must be true or false");
      case "string":
        return typeof json === "string" ? json : this.#report(path, "must be a string");
      case "bytes":
        return this.#bytes(json, path);
      case "enum":
        return this.#enum(field.enum, json, path);
      case "map":
        return this.#map(json, path);
      case "message":
        return this.message(field.message().spec, json, path);
      case "raw": {
        const problemsBefore = this.problems.length;
        const inner = field.message().spec;
        const values = this.message(inner, json, path);
        return this.problems.length > problemsBefore ? BAD : encodeMessage(inner, values);
      }
    }
  }

  #integer32(type: Integer32Type, json: unknown, path: string): unknown {
    const number = typeof json === "string" && INTEGER.test(json) ? Number(json) : json;
    if (!Number.isInteger(number)) return this.#report(path, "must be an integer");
    const unsigned = type === "uint32" || type === "fixed32";
    const minimum = unsigned ? 0 : -0x8000_0000;
    const maximum = unsigned ? 0xffff_ffff : 0x7fff_ffff;
    if ((number as number) < minimum || (number as number) > maximum) {
      return this.#report(path, `must be from ${minimum} to ${maximum}`);
    }
    return number;
  }

  #integer64(type: Integer64Type, exact: boolean, json: unknown, path: string): unknown {
    const unsigned = type === "uint64" || type === "fixed64";
    let integer: bigint;
    if (typeof json === "string" && INTEGER.test(json)) integer = BigInt(json);
    else if (Number.isSafeInteger(json)) integer = BigInt(json as number);
    else return this.#report(path, "must be an integer, as text if it is beyond 2^53");
    if ((unsigned ? BigInt.asUintN(64, integer) : BigInt.asIntN(64, integer)) !== integer) {
      return this.#report(path, `must fit ${unsigned ? "an unsigned" : "a signed"} 64-bit integer`);
    }
    const number = Number(integer);
    if (Number.isSafeInteger(number)) return number;
    return exact ? integer : this.#report(path, "must not be beyond 2^53");
  }

  #bytes(json: unknown, path: string): unknown {
    if (typeof json !== "string" || !base64.test(json)) return this.#report(path, "must be base64");
    const bytes = new Uint8Array(base64.length(json));
    base64.decode(json, bytes, 0);
    return bytes;
  }

  #enum(table: EnumTable, json: unknown, path: string): unknown {
    if (typeof json === "string" && table.numberOf.has(json)) return json;
    if (typeof json === "number") {
      const name = table.nameOf.get(json);
      if (name !== undefined) return name;
    }
    return this.#report(path, `must be one of ${[...table.numberOf.keys()].join(", ")}`);
  }

  #map(json: unknown, path: string): unknown {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      return this.#report(path, "must be an object");
    }
    const entries = Object.create(null) as Record<string, string>;
    for (const [key, value] of Object.entries(json)) {
      if (typeof value === "string") entries[key] = value;
      else this.#report(`${path}.${key}`, "must be a string");
    }
    return entries;
  }

  #report(field: string, problem: string): typeof BAD {
    this.problems.push({ field, problem });
    return BAD;
  }
}

/** Canonical enough for BigInt, bounded so that a document cannot make it slow. */
const INTEGER = /^-?[0-9]{1,20}$/;

function isGivenTwice(field: FieldSpec, key: string, json: object): boolean {
  return key !== field.name && Object.hasOwn(json, field.name);
}
