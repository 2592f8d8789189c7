import type { EnumTable } from "./enum-table.ts";

/**
 * How a value is carried, one letter for each kind that the schema has: `u` uint32, `U` uint64, `I`
 * int64, `Z` sint64, `b` bool, `e` enum, `s` string, `y` bytes, `m` message, `w` a Batch, which
 * stays encoded, `M` map of strings to strings. The kinds before `s` are varints.
 */
type FieldKind = "u" | "U" | "I" | "Z" | "b" | "e" | "s" | "y" | "m" | "w" | "M";

/** One field of a message. All have the same properties, which keeps reading them fast. */
export type FieldSpec = {
  readonly number: number;
  /** In TypeScript and JSON. */
  readonly name: string;
  /** The property that holds it: that of its oneof, or its own. */
  readonly key: string;
  readonly kind: FieldKind;
  readonly repeated: boolean;
  /** The oneof that the field belongs to. */
  readonly oneof: string | undefined;
  /** Of the kind `e`. */
  readonly enum: EnumTable | undefined;
  /** Of the kind `m`. */
  readonly message: MessageSpec | undefined;
  /** A varint, alone or packed. */
  readonly varint: boolean;
  /** What comes of it in pieces is put together. */
  readonly merges: boolean;
  /** Field number and wire type as a message is written with them. */
  readonly tag: number;
  /** What absence stands for; undefined where it is a value of its own. Of lists any empty one. */
  readonly absent: unknown;
};

/** What a field may refer to: an enum, or the codec of another message. */
export type FieldReference = EnumTable | { readonly spec: MessageSpec };

/** A message seen without its type, which generated code vouches for. */
export type Values = Record<string, unknown>;

/** A oneof as generated interfaces have it. */
export type OneofValue = { readonly kind: string; readonly value: unknown };

/**
 * The fields of a message. Generated code writes them as a text, which is the smallest form: for
 * each field its number, unless that is one more than the one before, its kind, `*` for repeated or
 * `?` for optional, and its name; of a member of a oneof then `@` and the name of the oneof.
 * `references` are the enums and messages of the fields with the kinds `e` and `m`, in order. All
 * of it is taken apart when it is first needed.
 */
export class MessageSpec {
  /** Full name, such as `tickwire.v1.Trade`. */
  readonly name: string;
  readonly #text: string;
  readonly #references: readonly FieldReference[];
  #fields: FieldSpec[] | undefined;
  readonly #byNumber: (FieldSpec | undefined)[] = [];
  /** What an empty message holds; a copy of it is faster than an object that is put together. */
  #template: Values = {};
  readonly #containers: FieldSpec[] = [];

  constructor(name: string, text: string, references: readonly FieldReference[]) {
    this.name = name;
    this.#text = text;
    this.#references = references;
  }

  /** In order of their numbers. */
  get fields(): readonly FieldSpec[] {
    return this.#fields ?? this.#parse();
  }

  /** The field of that number; undefined if the schema has none. */
  field(number: number): FieldSpec | undefined {
    if (this.#fields === undefined) this.#parse();
    return this.#byNumber[number];
  }

  /** A message without fields set; the caller owns it. */
  empty(): Values {
    if (this.#fields === undefined) this.#parse();
    const values = { ...this.#template };
    for (const field of this.#containers) values[field.key] = newContainer(field);
    return values;
  }

  #parse(): readonly FieldSpec[] {
    const fields: FieldSpec[] = [];
    const references = [...this.#references];
    const byNumber = this.#byNumber;
    const absent: [string, unknown][] = [];
    let number = 0;
    for (const match of this.#text.matchAll(FIELD)) {
      number = Number(match[1]) || number + 1;
      const field = fieldOf(match, number, references);
      fields.push(field);
      // No holes, which would make every look-up slow.
      while (byNumber.length <= number) byNumber.push(undefined);
      byNumber[number] = field;
      absent.push([field.key, field.absent]);
      if (field.repeated || field.kind === "M") this.#containers.push(field);
    }
    // Made at once: one that grows property by property is copied ten times slower in V8.
    this.#template = Object.fromEntries(absent);
    this.#fields = fields;
    return fields;
  }
}

const FIELD = /(\d*)(\w)([*?]?)(\w+)(?:@(\w+))?/g;
const VARINT_KINDS = "uUIZbe";

const NO_BYTES = /* @__PURE__ */ new Uint8Array(0);

/** The defaults of the kinds that have a plain one; `M` and lists are told by being objects. */
const DEFAULTS: Readonly<Partial<Record<FieldKind, unknown>>> = {
  u: 0,
  U: 0,
  I: 0,
  Z: 0,
  b: false,
  s: "",
  y: NO_BYTES,
  M: {},
};

/** A field from its text; takes what it refers to. */
function fieldOf(
  [, , letter, flag, name = "", oneof]: readonly string[],
  number: number,
  references: FieldReference[],
): FieldSpec {
  const kind = letter as FieldKind;
  const varint = VARINT_KINDS.includes(kind);
  const repeated = flag === "*";
  const reference = kind === "e" || kind === "m" ? references.shift() : undefined;
  const words = kind === "e" ? (reference as EnumTable) : undefined;
  const isOwnValue = flag === "?" || oneof !== undefined;
  return {
    number,
    name,
    key: oneof ?? name,
    kind,
    repeated,
    oneof,
    enum: words,
    message: (reference as { readonly spec?: MessageSpec } | undefined)?.spec,
    varint,
    merges: "mwM".includes(kind),
    tag: number * 8 + (varint && !repeated ? 0 : 2),
    absent: repeated ? [] : isOwnValue ? undefined : (words?.nameOf.get(0) ?? DEFAULTS[kind]),
  };
}

/** An empty list or map; nobody else has it. */
export function newContainer({ kind }: FieldSpec): unknown[] | Record<string, string> {
  return kind === "M" ? (Object.create(null) as Record<string, string>) : [];
}

/**
 * The value of a field in a message; undefined if it is absent or another member of its oneof is
 * there.
 */
export function fieldValue(values: Values, { key, name, oneof }: FieldSpec): unknown {
  const value = values[key] ?? undefined;
  if (oneof === undefined) return value;
  const member = value as OneofValue | undefined;
  return member?.kind === name ? member.value : undefined;
}

/** True if a value need not be sent. */
export function isDefault({ absent, kind }: FieldSpec, value: unknown): boolean {
  if (value === undefined || value === absent) return true;
  if (typeof absent !== "object") return false;
  // A map with a list's length of 0 is one with a key of that name.
  return (kind === "M" ? Object.keys(value as object) : (value as readonly unknown[])).length === 0;
}
