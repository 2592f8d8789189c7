import { describe, expect, test } from "vitest";
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  encodeBlock,
  isBlockWhole,
  readBlockHeader,
} from "./block.ts";
import { compressorOf, decompressorOf, USABLE_COMPRESSIONS } from "./compression.ts";

const CONTENT = Buffer.from("the content of a block");
const FACTS = {
  compression: "none",
  rawBytes: CONTENT.length,
  events: 7,
  firstTimeUs: 1_700_000_000_000_001,
  lastTimeUs: 1_700_000_000_999_999,
} as const;

function block(): Buffer {
  return Buffer.from(encodeBlock(FACTS, CONTENT));
}

describe("a block", () => {
  test("has a header that says what was put in", () => {
    expect(readBlockHeader(block(), 0)).toEqual({ ...FACTS, storedBytes: CONTENT.length });
    expect(isBlockWhole(block())).toBe(true);
  });

  test("is refused when any bit of it is another one", () => {
    const whole = block();
    for (let index = 0; index < whole.length; index += 1) {
      // Two bytes of the header say nothing, and are under the checksum as well.
      for (const bit of [1, 128]) {
        const damaged = Buffer.from(whole);
        damaged[index] = (damaged[index] ?? 0) ^ bit;
        const isRefused = readBlockHeader(damaged, 0) === undefined || !isBlockWhole(damaged);
        expect(isRefused, `byte ${index}, bit ${bit}`).toBe(true);
      }
    }
  });

  test("has no header before all of it is there", () => {
    expect(readBlockHeader(block().subarray(0, BLOCK_HEADER_BYTES - 1), 0)).toBeUndefined();
    expect(readBlockHeader(block().subarray(0, BLOCK_HEADER_BYTES), 0)).toBeDefined();
  });

  test.each([
    [BLOCK_BYTES_MAX - 1, true],
    [BLOCK_BYTES_MAX, true],
    [BLOCK_BYTES_MAX + 1, false],
  ])("of %i bytes is one: %s", (rawBytes, isOne) => {
    const bytes = Buffer.from(encodeBlock({ ...FACTS, rawBytes }, CONTENT));
    expect(readBlockHeader(bytes, 0) !== undefined).toBe(isOne);
  });
});

describe.each(USABLE_COMPRESSIONS)("compression %s", (compression) => {
  const content = Buffer.from("0123456789".repeat(1_000));

  test("gives back what was put in", async () => {
    const stored = await compressorOf(compression)(content);
    const restored = await decompressorOf(compression)(stored, content.length);
    expect(Buffer.from(restored).equals(content)).toBe(true);
  });
});

test("a content that becomes longer than its header says is given up", async () => {
  const stored = await compressorOf("gzip")(Buffer.alloc(1_000_000));
  await expect(decompressorOf("gzip")(stored, 1_000)).rejects.toThrow(/larger than/);
});
