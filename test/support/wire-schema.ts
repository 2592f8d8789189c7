import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage, FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import protobuf from "protobufjs";
import type { PlainMessage } from "./wire-reference.ts";

const require = createRequire(import.meta.url);
const PROTO = path.join(import.meta.dirname, "../../proto");

/** A folder of its own with the whole schema. */
export function schemaFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "tickwire-wire-"));
  cpSync(path.join(PROTO, "buf.yaml"), path.join(folder, "buf.yaml"));
  cpSync(path.join(PROTO, "tickwire"), path.join(folder, "tickwire"), { recursive: true });
  return folder;
}

/** Runs buf in a folder; returns what it prints. Throws if it fails. */
export function runBuf(folder: string, args: readonly string[]): Buffer {
  const buf = require.resolve("@bufbuild/buf/bin/buf");
  return execFileSync(process.execPath, [buf, ...args], { cwd: folder });
}

/** The schema as two other libraries than ours know it, from its source. */
type WireSchema = {
  readonly protobufjs: protobuf.Root;
  readonly bufbuild: FileRegistry;
};

export function loadWireSchema(): WireSchema {
  const folder = schemaFolder();
  try {
    const root = loadProtobufjs(folder);
    const image = path.join(folder, "image.binpb");
    runBuf(folder, ["build", "--as-file-descriptor-set", "--output", image]);
    const set = fromBinary(FileDescriptorSetSchema, readFileSync(image));
    return { protobufjs: root, bufbuild: createFileRegistry(set) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function loadProtobufjs(folder: string): protobuf.Root {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.startsWith("tickwire") && file.endsWith(".proto"),
  );
  const root = new protobuf.Root();
  root.resolvePath = (_, target) =>
    target.startsWith("google/")
      ? target
      : path.join(folder, path.relative(folder, path.resolve(folder, target)));
  root.loadSync(files, { keepCase: true });
  root.resolveAll();
  return root;
}

/** Decodes a message to its fields by name: 64-bit integers as bigints, defaults filled in. */
export type WireDecoder = (name: string, bytes: Uint8Array) => PlainMessage;

/** Decodes as protobufjs does, with nothing but the schema. Throws what the library throws. */
export function protobufjsDecoder(root: protobuf.Root = loadProtobufjs(PROTO)): WireDecoder {
  return (name, bytes) => {
    const type = root.lookupType(name);
    const options = { longs: String, defaults: true, arrays: true };
    return plainFromProtobufjs(type, type.toObject(type.decode(bytes), options));
  };
}

/** Decoders made of the two libraries. They throw what the library throws. */
export function decodersOf(schema: WireSchema): Readonly<Record<string, WireDecoder>> {
  return {
    protobufjs: protobufjsDecoder(schema.protobufjs),
    "@bufbuild/protobuf": (name, bytes) => {
      const message = schema.bufbuild.getMessage(name);
      if (message === undefined) throw new Error(`no message ${name}`);
      return plainFromBufbuild(message, fromBinary(message, bytes) as unknown as PlainMessage);
    },
  };
}

const WIDE = new Set(["int64", "uint64", "sint64"]);

function plainFromProtobufjs(type: protobuf.Type, message: PlainMessage): PlainMessage {
  const plain: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const convert = (value: unknown): unknown => {
      if (WIDE.has(field.type)) return BigInt(value as string);
      if (field.resolvedType instanceof protobuf.Type) {
        return plainFromProtobufjs(field.resolvedType, value as PlainMessage);
      }
      return value;
    };
    const value = message[field.name];
    if (field.repeated) plain[field.name] = (value as unknown[]).map(convert);
    else if (value !== null && value !== undefined) plain[field.name] = convert(value);
  }
  return plain;
}

function plainFromBufbuild(type: DescMessage, message: PlainMessage): PlainMessage {
  const plain: Record<string, unknown> = {};
  for (const field of type.fields) {
    const value = valueOf(message, field);
    if (field.message === undefined) {
      plain[field.name] = value;
      continue;
    }
    const inner = field.message;
    const convert = (one: unknown): unknown => plainFromBufbuild(inner, one as PlainMessage);
    if (field.fieldKind === "list") plain[field.name] = (value as unknown[]).map(convert);
    else if (value !== undefined) plain[field.name] = convert(value);
  }
  return plain;
}

/** One of several fields is in an object of theirs, with its name beside it. */
function valueOf(message: PlainMessage, { localName, oneof }: DescField): unknown {
  if (oneof === undefined) return message[localName];
  const set = message[oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return set.case === localName ? set.value : undefined;
}
