/** Deepest nesting of arrays and objects that is read; a deeper text counts as damaged. */
export const JSON_DEPTH_MAX = 64;

/**
 * What a JSON text says, with every number as its source text: `1.50` becomes `"1.50"`, `9e-7`
 * becomes `"9e-7"`. A string and a number of the same characters therefore look the same; a caller
 * that must tell them apart cannot use this. Venues whose prices are bare numbers can: nothing is
 * rounded and no zero is lost.
 */
export type JsonText =
  | string
  | boolean
  | null
  | readonly JsonText[]
  | { readonly [key: string]: JsonText };

/**
 * Reads a JSON text without touching its numbers. Accepts exactly what JSON.parse accepts, up to
 * JSON_DEPTH_MAX levels of nesting; of equal keys the last one counts. Undefined if the text is
 * damaged. Never throws.
 */
export function parseJsonText(text: string): JsonText | undefined {
  const scanner = new JsonScanner(text);
  const value = scanner.value(0);
  return value !== undefined && scanner.isAtEnd() ? value : undefined;
}

/** The object, or undefined if the value is anything else. */
export function asJsonObject(
  value: JsonText | undefined,
): { readonly [key: string]: JsonText } | undefined {
  return typeof value === "object" && value !== null && !isArray(value) ? value : undefined;
}

/** The array, or undefined if the value is anything else. */
export function asJsonArray(value: JsonText | undefined): readonly JsonText[] | undefined {
  return isArray(value) ? value : undefined;
}

/** The text of a string or number, or undefined if the value is anything else. */
export function asText(value: JsonText | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: JsonText | undefined): value is readonly JsonText[] {
  return Array.isArray(value);
}

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

/** One pass over one text. Every method answers undefined where the text is damaged. */
class JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** True if nothing but white space is left. */
  isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  value(depth: number): JsonText | undefined {
    this.#skipSpace();
    const code = this.#text.charCodeAt(this.#at);
    switch (code) {
      case QUOTE:
        return this.#string();
      case OPEN_BRACE:
        return this.#object(depth);
      case OPEN_BRACKET:
        return this.#array(depth);
      case 0x74:
        return this.#word("true") ? true : undefined;
      case 0x66:
        return this.#word("false") ? false : undefined;
      case 0x6e:
        return this.#word("null") ? null : undefined;
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonText | undefined {
    if (depth >= JSON_DEPTH_MAX) return undefined;
    const object: { [key: string]: JsonText } = {};
    this.#at += 1;
    if (this.#accept(CLOSE_BRACE)) return object;
    for (;;) {
      this.#skipSpace();
      if (this.#text.charCodeAt(this.#at) !== QUOTE) return undefined;
      const key = this.#string();
      if (key === undefined || !this.#accept(COLON)) return undefined;
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      if (key === "__proto__") defineOwn(object, key, value);
      else object[key] = value;
      if (this.#accept(COMMA)) continue;
      return this.#accept(CLOSE_BRACE) ? object : undefined;
    }
  }

  #array(depth: number): JsonText | undefined {
    if (depth >= JSON_DEPTH_MAX) return undefined;
    const array: JsonText[] = [];
    this.#at += 1;
    if (this.#accept(CLOSE_BRACKET)) return array;
    for (;;) {
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      array.push(value);
      if (this.#accept(COMMA)) continue;
      return this.#accept(CLOSE_BRACKET) ? array : undefined;
    }
  }

  #string(): string | undefined {
    const text = this.#text;
    const start = this.#at + 1;
    let escaped = false;
    for (let index = start; ; index++) {
      const code = text.charCodeAt(index);
      if (code === QUOTE) {
        this.#at = index + 1;
        return escaped ? unescape(text.slice(start - 1, index + 1)) : text.slice(start, index);
      }
      if (code === BACKSLASH) {
        escaped = true;
        index++;
      } else if (!(code >= SPACE)) {
        // A control character, or NaN at the end of the text.
        return undefined;
      }
    }
  }

  /** `-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?` */
  #number(): string | undefined {
    const text = this.#text;
    const start = this.#at;
    let index = start;
    if (text.charCodeAt(index) === MINUS) index++;
    const whole = index;
    index = skipDigits(text, index);
    if (index === whole) return undefined;
    if (text.charCodeAt(whole) === ZERO && index > whole + 1) return undefined;
    if (text.charCodeAt(index) === POINT) {
      const fraction = index + 1;
      index = skipDigits(text, fraction);
      if (index === fraction) return undefined;
    }
    const code = text.charCodeAt(index);
    if (code === 0x65 || code === 0x45) {
      index++;
      const sign = text.charCodeAt(index);
      if (sign === PLUS || sign === MINUS) index++;
      const exponent = index;
      index = skipDigits(text, exponent);
      if (index === exponent) return undefined;
    }
    this.#at = index;
    return text.slice(start, index);
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** Steps over the character, with white space before it, if it is the next one. */
  #accept(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) {
      this.#skipSpace();
      if (this.#text.charCodeAt(this.#at) !== code) return false;
    }
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code !== SPACE && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }
}

function skipDigits(text: string, from: number): number {
  let index = from;
  let code = text.charCodeAt(index);
  while (code >= ZERO && code <= NINE) code = text.charCodeAt(++index);
  return index;
}

/** Escapes are rare in market data, so the built-in reads them. */
function unescape(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    // A wrong escape: the text is damaged, which is what undefined says.
    return undefined;
  }
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
