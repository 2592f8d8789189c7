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
export type FieldKind = "u" | "U" | "I" | "Z" | "b" | "e" | "s" | "y" | "m" | "w" | "M";

/** One field of a message. All have the same properties, which keeps reading them fast. */
export type FieldSpec = {
  readonly number: number;
  /** In TypeScript and JSON. */
  readonly name: string;
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
 * each field its number, its kind, `*` for repeated or `?` for optional, a colon, its name, and
 * `@name` for the oneof that it belongs to. `references` are the enums and messages of the fields
 * with the kinds `e` and `m`, in order. The text is taken apart when it is first needed.
 */
export class MessageSpec {
  /** Full name, such as `tickwire.v1.Trade`. */
  readonly name: string;
  readonly #text: string;
  readonly #references: readonly FieldReference[];
  #fields: readonly FieldSpec[] | undefined;
  #byNumber: readonly (FieldSpec | undefined)[] = [];
  #defaults: Values = {};
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

  /** What every message starts from; only its containers must not be shared. */
  get defaults(): Values {
    if (this.#fields === undefined) this.#fields = this.#parse();
    return this.#defaults;
  }

  /** Repeated fields and maps, whose default is a new object for each message. */
  get containers(): readonly FieldSpec[] {
    return this.#containers;
  }

  #parse(): readonly FieldSpec[] {
    let references = 0;
    const fields = this.#text.split(" ").flatMap((text) => {
      const match = FIELD.exec(text);
      if (match === null) return [];
      const number = Number(match[1]);
      const kind = match[2] as FieldKind;
      const repeated = match[3] === "*";
      const varint = VARINT_KINDS.includes(kind);
      const reference = "em".includes(kind) ? this.#references[references++] : undefined;
      const wireType = varint && !repeated ? 0 : 2;
      return {
        number,
        name: match[4] as string,
        kind,
        repeated,
        optional: match[3] === "?",
        oneof: match[5],
        enum: kind === "e" ? (reference as EnumTable) : undefined,
        message: (reference as { readonly spec?: MessageSpec } | undefined)?.spec,
        varint,
        tag: number * 8 + wireType,
      };
    });
    const byNumber: (FieldSpec | undefined)[] = [];
    for (const field of fields) {
      // No holes, which would make every look-up slow.
      while (byNumber.length < field.number) byNumber.push(undefined);
      byNumber.push(field);
    }
    this.#byNumber = byNumber;
    this.#containers = fields.filter(({ repeated, kind }) => repeated || kind === "M");
    for (const field of fields) {
      this.#defaults[field.oneof ?? field.name] =
        field.oneof === undefined ? defaultOf(field) : undefined;
    }
    return fields;
  }
}

const FIELD = /^(\d+)(\w)([*?]?):(\w+)(?:@(\w+))?$/;
const VARINT_KINDS = "uUIZbe";

/** The field's name as the schema writes it: `topic_id` for `topicId`. */
export function protoNameOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The value that an absent field stands for; undefined where absence is its own value. */
export function defaultOf(field: FieldSpec): unknown {
  if (field.repeated) return [];
  if (field.optional) return undefined;
  switch (field.kind) {
    case "u":
    case "U":
    case "I":
    case "Z":
      return 0;
    case "b":
      return false;
    case "s":
      return "";
    case "y":
      return new Uint8Array(0);
    case "e":
      return field.enum?.nameOf.get(0);
    case "M":
      return Object.create(null);
    case "m":
    case "w":
      return undefined;
  }
}

/** A message without fields set. */
export function emptyMessage(spec: MessageSpec): Values {
  // Copying a whole object is several times as fast as setting one property after another.
  const values = { ...spec.defaults };
  for (const field of spec.containers) values[field.name] = defaultOf(field);
  return values;
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
  if (field.repeated) return (value as readonly unknown[]).length === 0;
  if (field.optional || field.oneof !== undefined) return false;
  switch (field.kind) {
    case "u":
    case "U":
    case "I":
    case "Z":
      return value === 0;
    case "b":
      return value === false;
    case "s":
      return value === "";
    case "y":
      return (value as Uint8Array).length === 0;
    case "e":
      return field.enum?.numberOf.get(value as string) === 0;
    case "M":
      return Object.keys(value as object).length === 0;
    case "m":
    case "w":
      return false;
  }
}
