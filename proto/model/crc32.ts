// For checksums over pieces that need no joining. Where a text is joined anyway, `node:zlib` is
// faster (test/bench/crc32.bench.mjs); what is here runs in a browser too.

/** CRC-32 of IEEE 802.3 (polynomial 0x04C11DB7, reflected), one table entry per byte. */
const TABLE = /* @__PURE__ */ createTable();

/** The state to begin with. */
export const CRC32_START = -1;

/** Takes ASCII characters in; other characters count by their lowest eight bits. */
export function updateCrc32(state: number, text: string): number {
  let crc = state;
  for (let index = 0; index < text.length; index++) {
    crc = (crc >>> 8) ^ TABLE[(crc ^ text.charCodeAt(index)) & 0xff]!;
  }
  return crc;
}

/** The unsigned checksum of everything taken in. */
export function finishCrc32(state: number): number {
  return ~state >>> 0;
}

/** The unsigned CRC-32 of ASCII text. */
export function crc32(text: string): number {
  return finishCrc32(updateCrc32(CRC32_START, text));
}

function createTable(): Int32Array {
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[byte] = value;
  }
  return table;
}
