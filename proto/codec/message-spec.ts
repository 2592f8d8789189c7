/** Numbers and names of one enum. */
export type EnumTable = {
  readonly name: string;
  readonly numberOf: ReadonlyMap<string, number>;
  readonly nameOf: ReadonlyMap<number, string>;
  /** What a number that the schema does not know is read as. */
  readonly unknown: string;
};

export type Integer32Type = "int32" | "uint32" | "sint32" | "fixed32" | "sfixed32";
export type Integer64Type = "int64" | "uint64" | "sint64" | "fixed64" | "sfixed64";

/** Field kinds whose repeated form is packed. */
export type PackableSpec =
  | { readonly kind: "integer32"; readonly type: Integer32Type }
  | { readonly kind: "integer64"; readonly type: Integer64Type }
  | { readonly kind: "bool" }
  | { readonly kind: "enum"; readonly enum: EnumTable };

/** How one value of a field is carried. `raw` is a message that stays encoded. */
type ValueSpec =
  | PackableSpec
  | { readonly kind: "string" }
  | { readonly kind: "bytes" }
  | { readonly kind: "map" }
  | { readonly kind: "message"; readonly message: () => { readonly spec: MessageSpec } }
  | { readonly kind: "raw"; readonly message: () => { readonly spec: MessageSpec } };

/** One field of a message, as generated code writes it. */
export type FieldSpec = ValueSpec & {
  readonly number: number;
  /** In TypeScript and JSON. */
  readonly name: string;
  /** In the schema; JSON input may use it too. */
  readonly protoName: string;
  readonly repeated?: true;
  /** Declared `optional`: absence and the default differ. */
  readonly optional?: true;
  /** The oneof that the field belongs to. */
  readonly oneof?: string;
};

export type MessageSpec = {
  /** Full name, such as `tickwire.v1.Trade`. */
  readonly name: string;
  readonly fields: readonly FieldSpec[];
};

/** A message seen without its type, which generated code vouches for. */
export type Values = Record<string, unknown>;

/** A oneof as generated interfaces have it. */
export type OneofValue = { readonly kind: string; readonly value: unknown };

/** The value that an absent field stands for; undefined where absence is its own value. */
export function defaultOf(field: FieldSpec): unknown {
  if (field.repeated) return [];
  if (field.optional) return undefined;
  switch (field.kind) {
    case "integer32":
    case "integer64":
      return 0;
    case "bool":
      return false;
    case "string":
      return "";
    case "bytes":
      return new Uint8Array(0);
    case "enum":
      return field.enum.nameOf.get(0);
    case "map":
      return Object.create(null);
    case "message":
    case "raw":
      return undefined;
  }
}

/** A message without fields set. */
export function emptyMessage(spec: MessageSpec): Values {
  const values: Values = {};
  for (const field of spec.fields) {
    if (field.oneof === undefined) values[field.name] = defaultOf(field);
    else values[field.oneof] = undefined;
  }
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
    case "integer32":
    case "integer64":
      return value === 0;
    case "bool":
      return value === false;
    case "string":
      return value === "";
    case "bytes":
      return (value as Uint8Array).length === 0;
    case "enum":
      return field.enum.numberOf.get(value as string) === 0;
    case "map":
      return Object.keys(value as object).length === 0;
    case "message":
    case "raw":
      return false;
  }
}
