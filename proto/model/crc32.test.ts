import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32, CRC32_START, finishCrc32, updateCrc32 } from "./crc32.ts";

/** The definition, bit by bit: slow, and shares nothing with the table. */
function bitwise(text: string): number {
  let crc = 0xffffffffn;
  for (const character of text) {
    crc ^= BigInt(character.charCodeAt(0));
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xedb88320n : crc >> 1n;
  }
  return Number(crc ^ 0xffffffffn);
}

test.each([
  ["", 0],
  ["123456789", 0xcbf43926],
  ["a", 0xe8b7be43],
  ["The quick brown fox jumps over the lazy dog", 0x414fa339],
])("the checksum of %j is the published one", (text, checksum) => {
  expect(crc32(text)).toBe(checksum);
});

test("the table agrees with the definition", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 60 }), (text) => {
      expect(crc32(text)).toBe(bitwise(text));
    }),
  );
});

test("text in pieces has the checksum of the whole", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme-ascii" })), (pieces) => {
      const state = pieces.reduce(updateCrc32, CRC32_START);
      expect(finishCrc32(state)).toBe(crc32(pieces.join("")));
    }),
  );
});
