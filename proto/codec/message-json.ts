import { BatchCodec } from "../gen/messages.ts";
import type { MessageCodec, MessageInit } from "./message-codec.ts";
import { decodeMessage } from "./message-reader.ts";
import { fieldValue, isDefault } from "./message-spec.ts";
import type { EnumTable } from "./enum-table.ts";
import type { FieldSpec, MessageSpec, OneofValue, Values } from "./message-spec.ts";
import { encodeMessage } from "./message-writer.ts";

/** How JSON is read. */
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

/** What is wrong is said this many times at most; the rest is counted. */
const PROBLEMS_MAX = 20;

/** A name that was sent is repeated up to this length. */
const NAME_CHARACTERS_MAX = 100;

/**
 * JSON that is not the message that it should be. Names every bad field up to 20, not just the
 * first.
 */
export class MessageJsonError extends Error {
  readonly code = "invalid-json";
  readonly problems: readonly FieldProblem[];

  constructor(messageName: string, problems: readonly FieldProblem[], furtherProblems = 0) {
    const list = problems.map(({ field, problem }) => (field ? `${field} ${problem}` : problem));
    if (furtherProblems > 0) list.push(`and ${furtherProblems} more`);
    super(`${messageName}: ${list.join("; ")}`);
    this.name = "MessageJsonError";
    this.problems = problems;
  }
}

/**
 * Proto3 JSON of a message, as a value for JSON.stringify: defaults left out, 64-bit integers as
 * text, bytes in base64. Throws WireError if a Batch inside the message cannot be read.
 */
export function messageToJson<T>(codec: MessageCodec<T>, value: MessageInit<T>): unknown {
  return valuesToJson(codec.spec, value as Values);
}

/**
 * Reads proto3 JSON, as JSON.parse gives it. Throws MessageJsonError, which names every bad field.
 */
export function messageFromJson<T>(
  codec: MessageCodec<T>,
  json: unknown,
  options: FromJsonOptions = {},
): T {
  const parse = new JsonParse(options);
  const values = parse.message(codec.spec, json, "");
  if (parse.problems.length > 0) {
    throw new MessageJsonError(codec.name, parse.problems, parse.furtherProblems);
  }
  return values as T;
}

function valuesToJson(spec: MessageSpec, values: Values): Values {
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
    case "U":
    case "I":
    case "Z":
      return String(value);
    case "y":
      return encodeBase64(value as Uint8Array);
    case "m":
      return valuesToJson(field.message as MessageSpec, value as Values);
    case "w": {
      const inner = BatchCodec.spec;
      return valuesToJson(inner, decodeMessage(inner, value as Uint8Array));
    }
    case "M":
      return { ...(value as Record<string, string>) };
    case "u":
    case "b":
    case "e":
    case "s":
      return value;
  }
}

/** The field's name as the schema writes it: `topic_id` for `topicId`. */
function protoNameOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a parse hands back in place of a value that it has reported. */
const BAD = Symbol("bad");

/** One pass over one document; collects problems instead of stopping at the first. */
class JsonParse {
  readonly problems: FieldProblem[] = [];
  furtherProblems = 0;
  readonly #options: FromJsonOptions;

  constructor(options: FromJsonOptions) {
    this.#options = options;
  }

  message(spec: MessageSpec, json: unknown, path: string): Values {
    const values = spec.empty();
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      this.#report(path, "must be an object");
      return values;
    }
    for (const [key, value] of Object.entries(json)) {
      const fieldPath = path === "" ? key : `${path}.${key}`;
      const field = spec.fields.find(({ name }) => name === key || protoNameOf(name) === key);
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
      case "u":
        return this.#integer32(json, path);
      case "U":
      case "I":
      case "Z":
        return this.#integer64(field, json, path);
      case "b":
        return typeof json === "boolean" ? json : this.#report(path, "must be true or false");
      case "s":
        return typeof json === "string" ? json : this.#report(path, "must be a string");
      case "y":
        return decodeBase64(json) ?? this.#report(path, "must be base64");
      case "e":
        return this.#enum(field.enum as EnumTable, json, path);
      case "M":
        return this.#map(json, path);
      case "m":
        return this.message(field.message as MessageSpec, json, path);
      case "w": {
        const problemsBefore = this.problems.length + this.furtherProblems;
        const inner = BatchCodec.spec;
        const values = this.message(inner, json, path);
        const isBad = this.problems.length + this.furtherProblems > problemsBefore;
        return isBad ? BAD : encodeMessage(inner, values);
      }
    }
  }

  #integer32(json: unknown, path: string): unknown {
    const number = typeof json === "string" && INTEGER.test(json) ? Number(json) : json;
    if (!Number.isInteger(number)) return this.#report(path, "must be an integer");
    if ((number as number) >= 0 && (number as number) <= UINT32_MAX) return number;
    return this.#report(path, `must be from 0 to ${UINT32_MAX}`);
  }

  #integer64(field: FieldSpec, json: unknown, path: string): unknown {
    const unsigned = field.kind === "U";
    let integer: bigint;
    if (typeof json === "string" && INTEGER.test(json)) integer = BigInt(json);
    else if (Number.isSafeInteger(json)) integer = BigInt(json as number);
    else return this.#report(path, "must be an integer, as text if it is beyond 2^53");
    if ((unsigned ? BigInt.asUintN(64, integer) : BigInt.asIntN(64, integer)) !== integer) {
      return this.#report(path, `must fit ${unsigned ? "an unsigned" : "a signed"} 64-bit integer`);
    }
    const number = Number(integer);
    if (Number.isSafeInteger(number)) return number;
    return field.repeated ? integer : this.#report(path, "must not be beyond 2^53");
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
    if (this.problems.length === PROBLEMS_MAX) this.furtherProblems += 1;
    else this.problems.push({ field: shortened(field), problem });
    return BAD;
  }
}

function shortened(name: string): string {
  return name.length > NAME_CHARACTERS_MAX ? `${name.slice(0, NAME_CHARACTERS_MAX)}…` : name;
}

const UINT32_MAX = 0xffff_ffff;

/** Canonical enough for BigInt, bounded so that a document cannot make it slow. */
const INTEGER = /^-?[0-9]{1,20}$/;

function isGivenTwice(field: FieldSpec, key: string, json: object): boolean {
  return key !== field.name && Object.hasOwn(json, field.name);
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
/** `String.fromCharCode` takes its arguments from the stack. */
const BASE64_CHUNK_BYTES = 8_192;

function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += BASE64_CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(start, start + BASE64_CHUNK_BYTES));
  }
  return btoa(binary);
}

/** Reads both alphabets, with or without padding. Undefined if the value is no base64. */
function decodeBase64(json: unknown): Uint8Array | undefined {
  if (typeof json !== "string" || !BASE64.test(json)) return undefined;
  const length = json.replace(/=+$/, "").length;
  // A last group of one character has six bits, too few for a byte; padding fills its group.
  if (length % 4 === 1 || (json.length !== length && json.length % 4 !== 0)) return undefined;
  const binary = atob(json.slice(0, length).replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
