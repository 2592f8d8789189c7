// What the codec of frames wants and k6 does not have. This module is imported before the codec.

/** As the codec uses it: texts to UTF-8. */
class PlainTextEncoder {
  encode(text: string): Uint8Array {
    const bytes: number[] = [];
    for (const character of text) {
      const escaped = encodeURIComponent(character);
      if (!escaped.startsWith("%")) bytes.push(character.charCodeAt(0));
      else for (const hex of escaped.slice(1).split("%")) bytes.push(Number.parseInt(hex, 16));
    }
    return Uint8Array.from(bytes);
  }

  encodeInto(
    text: string,
    target: Uint8Array,
  ): { readonly read: number; readonly written: number } {
    const bytes = this.encode(text);
    target.set(bytes);
    return { read: text.length, written: bytes.length };
  }
}

/** As the codec uses it: throws for bytes that are no UTF-8. */
class PlainTextDecoder {
  decode(bytes: Uint8Array): string {
    const escaped = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`);
    return decodeURIComponent(escaped.join(""));
  }
}

const host = globalThis as { TextEncoder?: unknown; TextDecoder?: unknown };
host.TextEncoder ??= PlainTextEncoder;
host.TextDecoder ??= PlainTextDecoder;

// k6 takes arrays only, and the codec gives a text.
const bytesOf = Uint8Array.from.bind(Uint8Array);
Uint8Array.from = (...given: readonly unknown[]) => {
  const [source, ...map] = given as Parameters<typeof Array.from<unknown, number>>;
  return bytesOf(Array.from(source, ...map));
};
