// What several dialects need to write their texts. Nothing here is shared with the adapters.

/** Microseconds since 1970 as ISO 8601 with six decimals. */
export function iso(timeUs: number): string {
  return new Date(Math.floor(timeUs / 1000))
    .toISOString()
    .replace("Z", `${String(timeUs % 1000).padStart(3, "0")}Z`);
}

/** Whole milliseconds. */
export function ms(timeUs: number): number {
  return Math.floor(timeUs / 1000);
}

/** CRC-32 of an ASCII text, bit by bit, so that it can judge the faster one of the ingestor. */
export function crc32Of(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** "0.01" for a scale of 2, "1" for 0: the least step of a number with that many decimals. */
export function unitOf(scale: number): string {
  return scale === 0 ? "1" : `0.${"0".repeat(scale - 1)}1`;
}
