import { assert } from "#core/assert.ts";
import type { JsonText } from "#core/json-text.ts";
import type { TextRecord } from "./frame-forms.ts";
import { asciiText, literal, NOT_SO, skipScalar, textEnd } from "./frame-bytes.ts";
import type { JsonRecord } from "./text-fields.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;

/** Members of an object that are read; of more it is unusual. */
const MEMBERS_MAX = 64;
/** Longer keys are not remembered. */
const KEY_BYTES_MAX = 64;
/** Nesting of values that nobody wants. */
const DEPTH_MAX = 8;

/** Of a member that nobody wants. */
const USELESS = -1;

/** A key with its quotes and colon, and which of the wanted members it is. */
type KnownKey = { readonly key: Uint8Array; readonly wanted: number };

/** A member as JSON has it, but for numbers, which are texts. Undefined where there is none. */
type MemberValue = string | boolean | null | undefined;

/**
 * Reads an object in its bytes, of whose members a few are wanted. A venue writes the members of
 * its messages in the same order each time: the keys of the object before are remembered by their
 * places, so that each is compared once.
 */
export class ScannedMembers {
  readonly #names: readonly string[];
  /** By the place of the member that it reads. */
  readonly #inner: readonly (ScannedMembers | undefined)[];
  /** The keys as they stood last, by their place. */
  readonly #keys: KnownKey[] = [];
  /** A record that says nothing. One that grows member by member takes V8 ten times as long. */
  readonly #empty: { readonly [name: string]: undefined };
  /** Where the values begin and end, quotes left out; 0 where a member is not there. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  /** `inner` reads those of the wanted members that are objects. */
  constructor(names: readonly string[], inner: Readonly<Record<string, ScannedMembers>> = {}) {
    assert(new Set(names).size === names.length, "a member is named once");
    this.#names = names;
    const objects = new Map(Object.entries(inner));
    this.#inner = names.map((name) => objects.get(name));
    const isKnown = [...objects.keys()].every((name) => names.includes(name));
    assert(isKnown, "an object that is read is one of the wanted members");
    this.#empty = Object.fromEntries(names.map((name) => [name, undefined]));
    this.#starts = new Int32Array(names.length);
    this.#ends = new Int32Array(names.length);
  }

  /** Behind the brace that closes the object, which is not empty and begins here. */
  read(bytes: Uint8Array, start: number): number {
    this.#starts.fill(0);
    if (start < 0 || bytes[start] !== OPEN_BRACE) return NOT_SO;
    let at = start;
    for (let place = 0; place < MEMBERS_MAX; place += 1) {
      at = this.#member(bytes, at + 1, place);
      if (at < 0) return NOT_SO;
      if (bytes[at] === CLOSE_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
    }
    return NOT_SO;
  }

  /** The value of a wanted member of the object that was read last, by its place in the names. */
  value(bytes: Uint8Array, wanted: number): MemberValue {
    const start = this.#starts[wanted]!;
    if (start === 0) return undefined;
    const end = this.#ends[wanted]!;
    if (bytes[start - 1] === QUOTE) return asciiText(bytes, start, end);
    switch (bytes[start]!) {
      case LETTER_T:
        return true;
      case LETTER_F:
        return false;
      case LETTER_N:
        return null;
      default:
        return asciiText(bytes, start, end);
    }
  }

  /** The text of a text or a number; undefined for anything else. */
  text(bytes: Uint8Array, wanted: number): string | undefined {
    const value = this.value(bytes, wanted);
    return typeof value === "string" ? value : undefined;
  }

  /**
   * The wanted members by their names, with numbers as their texts; undefined for one that is not
   * there.
   */
  textRecord(bytes: Uint8Array): TextRecord {
    const record: { [name: string]: JsonText | undefined } = { ...this.#empty };
    for (let wanted = 0; wanted < this.#names.length; wanted += 1) {
      record[this.#names[wanted]!] = this.value(bytes, wanted);
    }
    // Whoever asks for a name of it has to know that it may not be there in any case.
    return record as TextRecord;
  }

  /** The same with numbers as `JSON.parse` gives them. */
  record(bytes: Uint8Array): JsonRecord {
    const record: { [name: string]: unknown } = { ...this.#empty };
    for (let wanted = 0; wanted < this.#names.length; wanted += 1) {
      const value = this.value(bytes, wanted);
      if (value === undefined) continue;
      const isNumber = typeof value === "string" && bytes[this.#starts[wanted]! - 1] !== QUOTE;
      record[this.#names[wanted]!] = isNumber ? Number(value) : value;
    }
    return record;
  }

  /** Where the value begins, behind a quote if it is a text; 0 if there is none. */
  startOf(wanted: number): number {
    return this.#starts[wanted]!;
  }

  /** Where it ends. */
  endOf(wanted: number): number {
    return this.#ends[wanted]!;
  }

  #member(bytes: Uint8Array, at: number, place: number): number {
    const known = this.#keys[place];
    const here = known === undefined ? NOT_SO : literal(bytes, at, known.key);
    if (here >= 0) return this.#value(bytes, here, known!.wanted);
    const end = bytes[at] === QUOTE ? textEnd(bytes, at + 1) : NOT_SO;
    if (end < 0 || end - at > KEY_BYTES_MAX || bytes[end + 1] !== COLON) return NOT_SO;
    const wanted = this.#names.indexOf(asciiText(bytes, at + 1, end));
    this.#keys[place] = { key: bytes.slice(at, end + 2), wanted };
    return this.#value(bytes, end + 2, wanted);
  }

  #value(bytes: Uint8Array, at: number, wanted: number): number {
    if (wanted === USELESS) return skipValue(bytes, at, DEPTH_MAX);
    // A second one of the name: which counts is left to who reads all of JSON.
    if (this.#starts[wanted] !== 0) return NOT_SO;
    const inner = this.#inner[wanted];
    const isText = bytes[at] === QUOTE;
    const end = inner === undefined ? skipScalar(bytes, at) : inner.read(bytes, at);
    this.#starts[wanted] = isText ? at + 1 : at;
    this.#ends[wanted] = isText ? end - 1 : end;
    return end;
  }
}

/** Behind a value that nobody wants, of whatever kind. */
function skipValue(bytes: Uint8Array, start: number, depth: number): number {
  const open = bytes[start];
  if (open !== OPEN_BRACE && open !== OPEN_BRACKET) return skipScalar(bytes, start);
  if (depth === 0) return NOT_SO;
  const isObject = open === OPEN_BRACE;
  const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
  let at = start + 1;
  if (bytes[at] === close) return at + 1;
  for (;;) {
    if (isObject) {
      const key = bytes[at] === QUOTE ? textEnd(bytes, at + 1) : NOT_SO;
      if (key < 0 || bytes[key + 1] !== COLON) return NOT_SO;
      at = key + 2;
    }
    at = skipValue(bytes, at, depth - 1);
    if (at < 0) return NOT_SO;
    if (bytes[at] === close) return at + 1;
    if (bytes[at] !== COMMA) return NOT_SO;
    at += 1;
  }
}
