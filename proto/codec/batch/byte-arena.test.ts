import { describe, expect, test } from "vitest";
import { closeMessage, openMessage, sharedCopy } from "./byte-arena.ts";

/** A message of so many bytes, all of one value. */
function written(length: number, value: number): Uint8Array {
  const into = openMessage(length);
  into.bytes.fill(value, into.start, into.start + length);
  return closeMessage(into.start + length, into);
}

describe("bytes that messages are written into", () => {
  test.each([1, 1_023, 1_024, 1_025, 8_191, 8_192, 8_193, 40_000])(
    "keep messages of %i bytes apart",
    (length) => {
      const messages = Array.from({ length: 30 }, (_, value) => written(length, value));
      for (const [value, message] of messages.entries()) {
        expect(message).toHaveLength(length);
        expect(message.every((byte) => byte === value)).toBe(true);
      }
    },
  );

  test("are shared by messages of up to 1,024 bytes, 8,192 for all of them", () => {
    const room = (length: number) => written(length, 1).buffer.byteLength;
    expect([1, 1_023, 1_024, 1_025].map(room)).toEqual([8_192, 8_192, 8_192, 1_025]);
  });

  test("are overwritten by the next message where one was not closed", () => {
    const first = openMessage(10);
    first.bytes.fill(7, first.start, first.start + 10);
    expect(openMessage(10).start).toBe(first.start);
  });

  test("can be written four at a time", () => {
    const into = openMessage(4);
    into.view.setUint32(into.start, 0x0403_0201, true);
    expect([...closeMessage(into.start + 4, into)]).toEqual([1, 2, 3, 4]);
  });

  test("that a very long message took are given up with the next long one", () => {
    const rooms = [2 ** 20 + 1, 9_000, 2 ** 20, 9_000].map(
      (room) => openMessage(room).bytes.length,
    );
    expect(rooms).toEqual([2 ** 20 + 1, 16_384, 2 ** 20, 2 ** 20]);
  });

  test("are copied from others", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const copy = sharedCopy(bytes, 2);
    bytes.fill(9);
    expect([...copy]).toEqual([1, 2]);
  });
});
