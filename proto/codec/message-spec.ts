/** Numbers and names of one enum. */
export type EnumTable = {
  readonly numberOf: ReadonlyMap<string, number>;
  readonly nameOf: ReadonlyMap<number, string>;
  /** What a number that the schema does not know is read as. */
  readonly unknown: string;
};

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
  /** Declared `optional`: absence and the default differ. */
  readonly optional: boolean;
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
  #fields: readonly FieldSpec[] | undefined;
  #byNumber: readonly (FieldSpec | undefined)[] = [];
  /** What an empty message holds; a copy of it is faster than an object that is put together. */
  #template: Values = {};
  #containers: readonly FieldSpec[] = [];

  constructor(name: string, text: string, references: readonly FieldReference[]) {
    this.name = name;
    this.#text = text;
    this.#references = references;
  }

  /** In order of their numbers. */
  get fields(): readonly FieldSpec[] {
    this.#fields ??= this.#parse();
    return this.#fields;
  }

  /** The field of that number; undefined if the schema has none. */
  field(number: number): FieldSpec | undefined {
    if (this.#fields === undefined) this.#fields = this.#parse();
    return this.#byNumber[number];
  }

  /** A message without fields set; the caller owns it. */
  empty(): Values {
    if (this.#fields === undefined) this.#fields = this.#parse();
    const values = { ...this.#template };
    for (const field of this.#containers) values[field.key] = defaultOf(field);
    return values;
  }

  #parse(): readonly FieldSpec[] {
    const references = [...this.#references];
    let number = 0;
    const fields = Array.from(this.#text.matchAll(FIELD), (match) => {
      const [, digits, letter, flag, name = "", oneof] = match;
      const kind = letter as FieldKind;
      number = digits === "" ? number + 1 : Number(digits);
      const varint = VARINT_KINDS.includes(kind);
      const repeated = flag === "*";
      const reference = "em".includes(kind) ? references.shift() : undefined;
      return {
        number,
        name,
        key: oneof ?? name,
        kind,
        repeated,
        optional: flag === "?",
        oneof,
        enum: kind === "e" ? (reference as EnumTable) : undefined,
        message: (reference as { readonly spec?: MessageSpec } | undefined)?.spec,
        varint,
        merges: "mwM".includes(kind),
        tag: number * 8 + (varint && !repeated ? 0 : 2),
      };
    });
    this.#index(fields);
    return fields;
  }

  #index(fields: readonly FieldSpec[]): void {
    const byNumber: (FieldSpec | undefined)[] = [];
    for (const field of fields) {
      // No holes, which would make every look-up slow.
      while (byNumber.length <= field.number) byNumber.push(undefined);
      byNumber[field.number] = field;
      this.#template[field.key] = field.oneof === undefined ? defaultOf(field) : undefined;
    }
    this.#byNumber = byNumber;
    this.#containers = fields.filter(({ repeated, kind }) => repeated || kind === "M");
  }
}

const FIELD = /(\d*)(\w)([*?]?)(\w+)(?:@(\w+))?/g;
const VARINT_KINDS = "uUIZbe";

/** The field's name as the schema writes it: `topic_id` for `topicId`. */
export function protoNameOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The defaults of the kinds that have a plain one. */
const DEFAULTS: Readonly<Partial<Record<FieldKind, number | boolean | string>>> = {
  u: 0,
  U: 0,
  I: 0,
  Z: 0,
  b: false,
  s: "",
};

/** The value that an absent field stands for; undefined where absence is its own value. */
export function defaultOf({ repeated, optional, kind, enum: words }: FieldSpec): unknown {
  if (repeated) return [];
  if (optional) return undefined;
  if (kind === "y") return new Uint8Array(0);
  if (kind === "M") return Object.create(null);
  return kind === "e" ? words?.nameOf.get(0) : DEFAULTS[kind];
}

/**
 * The value of a field in a message; undefined if it is absent or another member of its oneof is
 * there.
 */
export function fieldValue(values: Values, field: FieldSpec): unknown {
  if (field.oneof === undefined) return values[field.name] ?? undefined;
  const oneof = values[field.oneof] as OneofValue | undefined | null;
  return oneof?.kind === field.name ? oneof.value : undefined;
}

/** True if a value need not be sent. */
export function isDefault(field: FieldSpec, value: unknown): boolean {
  if (value === undefined) return true;
  const { kind } = field;
  if (field.repeated) return (value as readonly unknown[]).length === 0;
  if (field.optional || field.oneof !== undefined || kind === "m" || kind === "w") return false;
  if (kind === "y") return (value as Uint8Array).length === 0;
  if (kind === "M") return Object.keys(value as object).length === 0;
  return value === (kind === "e" ? field.enum?.nameOf.get(0) : DEFAULTS[kind]);
}
