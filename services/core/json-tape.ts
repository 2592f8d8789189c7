import { parseMantissa, type Mantissa } from "@tickwire/proto/model";
import type { JsonText } from "./json-value.ts";

// Scanning and reading share one file because V8 does not fold constants that another module
// exports: with the scan in a module of its own, a frame took a fifth to a half longer.

/** Deepest nesting of arrays and objects that is read; a deeper text counts as damaged. */
export const JSON_DEPTH_MAX = 64;

/**
 * Characters of text for which room is kept between scans. A longer text gets room of its own,
 * which is given back with the next shorter one.
 */
export const TAPE_CHARACTERS_KEPT_MAX = 1024 * 1024;

/** Places for keys that are kept for their next use; a later key replaces the one in its place. */
const KNOWN_KEYS_MAX = 128;

/** Stands for a node that does not exist. Methods accept it and answer that nothing is there. */
export const MISSING = -1;

/** What a node is. */
export const JsonKind = {
  Missing: 0,
  Object: 1,
  Array: 2,
  String: 3,
  /** A string with escapes in it. */
  EscapedString: 4,
  Number: 5,
  True: 6,
  False: 7,
  Null: 8,
} as const;
export type JsonKind = (typeof JsonKind)[keyof typeof JsonKind];

// A node is four numbers: its kind, two that depend on the kind, and the next node on the same
// level. For strings and numbers the two are the index of the first character and the index behind
// the last; for arrays and objects they are the first child and the node that contains them. The
// key of an object's member stands right before its value.
const NODE_SIZE = 4;
const START = 1;
const END = 2;
const NEXT = 3;

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** The byte that stands for any character outside ASCII, which JSON allows in strings only. */
const OTHER = 0x80;

/** Whole numbers of so many digits are exact in a double, times whatever the scale asks for. */
const EXACT_DIGITS_MAX = 15;
const POWERS: readonly number[] = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

const encoder = new TextEncoder();

/**
 * Reads JSON without building anything: one pass notes where every value stands, and what is
 * wanted is then taken out of the text. Numbers keep their source text, so nothing is rounded. The
 * nodes of a scan are small integers that stay valid until the next one; the root is 0. Accepts
 * exactly what JSON.parse accepts, up to JSON_DEPTH_MAX levels of nesting. Never throws.
 */
export class JsonTape {
  #text = "";
  /** The characters of the text, one byte each, and a zero behind the last. */
  #bytes: Uint8Array = new Uint8Array(1024);
  #nodes: Int32Array = new Int32Array(1024);
  readonly #knownKeys: (string | undefined)[] = Array.from({ length: KNOWN_KEYS_MAX });

  /** False if the text is not JSON; its nodes must then not be used. */
  scan(text: string): boolean {
    this.#load(text);
    return this.#scanAll();
  }

  kind(node: number): JsonKind {
    return node < 0 ? JsonKind.Missing : (this.#nodes[node] as JsonKind);
  }

  isArray(node: number): boolean {
    return this.kind(node) === JsonKind.Array;
  }

  isObject(node: number): boolean {
    return this.kind(node) === JsonKind.Object;
  }

  isContainer(node: number): boolean {
    return this.isArray(node) || this.isObject(node);
  }

  /** The first element of an array, or the first value of an object. */
  first(container: number): number {
    const kind = this.kind(container);
    if (kind !== JsonKind.Object && kind !== JsonKind.Array) return MISSING;
    return this.#nodes[container + START]!;
  }

  /** What follows on the same level. */
  next(node: number): number {
    return node < 0 ? MISSING : this.#nodes[node + NEXT]!;
  }

  /** The element of an array at an index from 0. */
  at(array: number, index: number): number {
    let node = this.kind(array) === JsonKind.Array ? this.first(array) : MISSING;
    for (let left = index; left > 0 && node >= 0; left--) node = this.next(node);
    return node;
  }

  /** The element at an index, or the value of a key. */
  child(container: number, name: number | string): number {
    return typeof name === "number" ? this.at(container, name) : this.get(container, name);
  }

  /** Elements of an array, or members of an object. */
  length(container: number): number {
    let count = 0;
    for (let node = this.first(container); node >= 0; node = this.next(node)) count++;
    return count;
  }

  /** The key of a value that is a member of an object. */
  key(member: number): string {
    return member < NODE_SIZE ? "" : (this.text(member - NODE_SIZE) ?? "");
  }

  /** The value of a key; of equal keys the last one counts, as with JSON.parse. */
  get(object: number, key: string): number {
    if (this.kind(object) !== JsonKind.Object) return MISSING;
    let found = MISSING;
    for (let node = this.#nodes[object + START]!; node >= 0; node = this.#nodes[node + NEXT]!) {
      if (this.#isText(node - NODE_SIZE, key)) found = node;
    }
    return found;
  }

  /** The text of a string, or a number as it was written; undefined for anything else. */
  text(node: number): string | undefined {
    if (node < 0) return undefined;
    const kind = this.#nodes[node];
    const start = this.#nodes[node + START]!;
    const end = this.#nodes[node + END]!;
    if (kind === JsonKind.String || kind === JsonKind.Number) return this.#text.slice(start, end);
    // Escapes are rare in market data, and were checked by the scan.
    if (kind === JsonKind.EscapedString) {
      return JSON.parse(this.#text.slice(start - 1, end + 1)) as string;
    }
    return undefined;
  }

  /** True if the node is a string, or a number, of just these characters. */
  equals(node: number, text: string): boolean {
    const kind = this.kind(node);
    if (kind === JsonKind.EscapedString) return this.text(node) === text;
    return (kind === JsonKind.String || kind === JsonKind.Number) && this.#isText(node, text);
  }

  /** The number as a double, for times, ids and counts below 2^53; NaN if it is not a number. */
  number(node: number): number {
    if (this.kind(node) !== JsonKind.Number) return Number.NaN;
    return Number(this.#text.slice(this.#nodes[node + START], this.#nodes[node + END]));
  }

  /** What `parseMantissa` gives for the text of the node, without making the text where it can. */
  mantissa(node: number, scale: number): Mantissa {
    const kind = this.kind(node);
    if (kind !== JsonKind.String && kind !== JsonKind.Number) {
      return kind === JsonKind.EscapedString ? parseMantissa(this.text(node)!, scale) : Number.NaN;
    }
    const bytes = this.#bytes;
    const end = this.#nodes[node + END]!;
    const start = this.#nodes[node + START]!;
    const first = bytes[start] === MINUS ? start + 1 : start;
    let mantissa = 0;
    let at = first;
    while (at < end && isDigit(bytes[at]!)) mantissa = mantissa * 10 + bytes[at++]! - ZERO;
    let decimals = 0;
    let digits = at - first;
    if (digits > 0 && at + 1 < end && bytes[at] === POINT) {
      const fraction = ++at;
      while (at < end && isDigit(bytes[at]!)) mantissa = mantissa * 10 + bytes[at++]! - ZERO;
      decimals = at - fraction;
      digits += decimals;
    }
    const padding = scale - decimals;
    if (at < end || digits === 0 || padding < 0 || digits + padding > EXACT_DIGITS_MAX) {
      return parseMantissa(this.#text.slice(start, end), scale);
    }
    mantissa *= POWERS[padding]!;
    return first > start && mantissa !== 0 ? -mantissa : mantissa;
  }

  /**
   * Decimals of a plain number or string as written, trailing zeros included; -1 if that needs a
   * closer look (an exponent, no decimal at all).
   */
  decimals(node: number): number {
    const kind = this.kind(node);
    if (kind !== JsonKind.String && kind !== JsonKind.Number) return -1;
    const bytes = this.#bytes;
    const end = this.#nodes[node + END]!;
    const start = this.#nodes[node + START]!;
    let at = bytes[start] === MINUS ? start + 1 : start;
    while (at < end && isDigit(bytes[at]!)) at++;
    if (at === end) return 0;
    const point = at++;
    if (bytes[point] !== POINT) return -1;
    while (at < end && isDigit(bytes[at]!)) at++;
    return at === end ? end - point - 1 : -1;
  }

  /** The whole value as plain data, with every number as its text. */
  value(node: number): JsonText | undefined {
    switch (this.kind(node)) {
      case JsonKind.Missing:
        return undefined;
      case JsonKind.Object:
        return this.#object(node);
      case JsonKind.Array: {
        const array: JsonText[] = [];
        for (let child = this.first(node); child >= 0; child = this.next(child)) {
          array.push(this.value(child)!);
        }
        return array;
      }
      case JsonKind.String:
      case JsonKind.EscapedString:
      case JsonKind.Number:
        return this.text(node);
      case JsonKind.True:
        return true;
      case JsonKind.False:
        return false;
      case JsonKind.Null:
        return null;
    }
  }

  #object(node: number): JsonText {
    const object: { [key: string]: JsonText } = {};
    for (let child = this.first(node); child >= 0; child = this.next(child)) {
      const key = this.#knownKey(child - NODE_SIZE);
      const value = this.value(child)!;
      if (key === "__proto__") defineOwn(object, key, value);
      else object[key] = value;
    }
    return object;
  }

  /**
   * The text of a key, as the same string object each time. The same few keys come in every frame,
   * and turning a new string into a property name costs more than comparing it with a known one.
   */
  #knownKey(node: number): string {
    const start = this.#nodes[node + START]!;
    const end = this.#nodes[node + END]!;
    const length = end - start;
    if (length === 0) return "";
    const slot = (this.#bytes[start]! * 7 + this.#bytes[end - 1]! * 3 + length) % KNOWN_KEYS_MAX;
    const known = this.#knownKeys[slot];
    if (known !== undefined && this.#isText(node, known)) return known;
    const key = this.text(node)!;
    this.#knownKeys[slot] = key;
    return key;
  }

  #isText(node: number, text: string): boolean {
    const start = this.#nodes[node + START]!;
    const length = text.length;
    if (this.#nodes[node] === JsonKind.EscapedString) return this.text(node) === text;
    if (this.#nodes[node + END]! - start !== length) return false;
    const bytes = this.#bytes;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      // This byte stands for many characters, so the texts themselves must be compared.
      if (code >= OTHER) return this.text(node) === text;
      if (bytes[start + index] !== code) return false;
    }
    return true;
  }

  /** Copies the text into bytes, since loops over bytes are faster than loops over a string. */
  #load(text: string): void {
    const { length } = text;
    const kept = TAPE_CHARACTERS_KEPT_MAX;
    const isOversized = this.#bytes.length > kept + 1 && length <= kept;
    if (length >= this.#bytes.length || isOversized) {
      this.#bytes = new Uint8Array(Math.max(length + 1, Math.min(2 * length, kept)) + 1);
      if (isOversized) this.#nodes = new Int32Array(1024);
    }
    this.#text = text;
    const { read, written } = encoder.encodeInto(text, this.#bytes);
    if (read !== length || written !== length) {
      for (let index = 0; index < length; index++) {
        const code = text.charCodeAt(index);
        this.#bytes[index] = code < OTHER ? code : OTHER;
      }
    }
    this.#bytes[length] = 0;
  }

  /** One value after the other, each with its key, until the root is complete. */
  #scanAll(): boolean {
    const bytes = this.#bytes;
    let nodes = this.#nodes;
    let used = 0;
    let at = 0;
    let depth = 0;
    let container = MISSING;
    let isObject = false;
    let last = MISSING;
    for (;;) {
      if (used + 2 * NODE_SIZE > nodes.length) nodes = this.#grow();
      at = skipSpace(bytes, at);
      if (isObject) {
        at = scanKey(nodes, used, bytes, at);
        if (at < 0) return false;
        used += NODE_SIZE;
      }
      const node = used;
      used += NODE_SIZE;
      nodes[node + NEXT] = MISSING;
      if (last >= 0) nodes[last + NEXT] = node;
      else if (container >= 0) nodes[container + START] = node;
      last = node;
      const code = bytes[at]!;
      if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        if (++depth > JSON_DEPTH_MAX) return false;
        isObject = code === OPEN_BRACE;
        nodes[node] = isObject ? JsonKind.Object : JsonKind.Array;
        nodes[node + START] = MISSING;
        nodes[node + END] = container;
        container = node;
        last = MISSING;
        at = skipSpace(bytes, at + 1);
        if (bytes[at] !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) continue;
      } else {
        at = scanScalar(nodes, node, bytes, at);
        if (at < 0) return false;
        at = skipSpace(bytes, at);
      }
      while (depth > 0 && bytes[at] === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        depth--;
        last = container;
        container = nodes[container + END]!;
        isObject = container >= 0 && nodes[container] === JsonKind.Object;
        at = skipSpace(bytes, at + 1);
      }
      if (depth === 0) return at === this.#text.length;
      if (bytes[at++] !== COMMA) return false;
    }
  }

  #grow(): Int32Array {
    const nodes = new Int32Array(2 * this.#nodes.length);
    nodes.set(this.#nodes);
    this.#nodes = nodes;
    return nodes;
  }
}

// The functions below note what they find as a node and answer where the scan goes on: a negative
// number where the text is damaged. The zero behind the text ends every loop.

function scanKey(nodes: Int32Array, node: number, bytes: Uint8Array, from: number): number {
  if (bytes[from] !== QUOTE) return -1;
  let at = scanString(nodes, node, bytes, from);
  if (at < 0) return at;
  if (bytes[at] !== COLON) at = skipSpace(bytes, at);
  return bytes[at] === COLON ? skipSpace(bytes, at + 1) : -1;
}

function scanScalar(nodes: Int32Array, node: number, bytes: Uint8Array, at: number): number {
  switch (bytes[at]!) {
    case QUOTE:
      return scanString(nodes, node, bytes, at);
    case 0x74:
      nodes[node] = JsonKind.True;
      return scanWord("true", bytes, at);
    case 0x66:
      nodes[node] = JsonKind.False;
      return scanWord("false", bytes, at);
    case 0x6e:
      nodes[node] = JsonKind.Null;
      return scanWord("null", bytes, at);
    default:
      return scanNumber(nodes, node, bytes, at);
  }
}

function scanString(nodes: Int32Array, node: number, bytes: Uint8Array, from: number): number {
  let kind: JsonKind = JsonKind.String;
  let at = from + 1;
  let code = bytes[at]!;
  while (code !== QUOTE) {
    if (code < SPACE) return -1;
    if (code === BACKSLASH) {
      kind = JsonKind.EscapedString;
      at = endOfEscape(bytes, at);
      if (at < 0) return at;
      code = bytes[at]!;
    } else {
      code = bytes[++at]!;
    }
  }
  nodes[node] = kind;
  nodes[node + START] = from + 1;
  nodes[node + END] = at;
  return at + 1;
}

/** `-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?` */
function scanNumber(nodes: Int32Array, node: number, bytes: Uint8Array, from: number): number {
  const whole = bytes[from] === MINUS ? from + 1 : from;
  let at = whole;
  while (isDigit(bytes[at]!)) at++;
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return -1;
  let code = bytes[at]!;
  if (code === POINT) {
    const fraction = ++at;
    while (isDigit(bytes[at]!)) at++;
    if (at === fraction) return -1;
    code = bytes[at]!;
  }
  if (code === 0x65 || code === 0x45) {
    code = bytes[++at]!;
    if (code === PLUS || code === MINUS) at++;
    const exponent = at;
    while (isDigit(bytes[at]!)) at++;
    if (at === exponent) return -1;
  }
  nodes[node] = JsonKind.Number;
  nodes[node + START] = from;
  nodes[node + END] = at;
  return at;
}

function scanWord(word: string, bytes: Uint8Array, at: number): number {
  for (let index = 0; index < word.length; index++) {
    if (bytes[at + index] !== word.charCodeAt(index)) return -1;
  }
  return at + word.length;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  let code = bytes[at]!;
  while (code <= SPACE && (code === SPACE || code === 0x0a || code === 0x0d || code === 0x09)) {
    code = bytes[++at]!;
  }
  return at;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** The index behind an escape that begins at `at`, negative if there is no such escape. */
function endOfEscape(bytes: Uint8Array, at: number): number {
  const escape = String.fromCharCode(bytes[at + 1]!);
  if (escape !== "u") return '"\\/bfnrt'.includes(escape) ? at + 2 : -1;
  for (let index = at + 2; index < at + 6; index++) {
    if (!/[0-9a-fA-F]/.test(String.fromCharCode(bytes[index]!))) return -1;
  }
  return at + 6;
}

/**
 * An assignment to `__proto__` would change the object's prototype instead of making a property.
 */
function defineOwn(object: object, key: string, value: JsonText): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
