import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRingMemory, RingReader, RingWriter } from "./byte-ring.ts";

const BYTES = 256 * 1024;
const HEADER_BYTES = 16;
/** What payloads may take: the rest is kept for marks. */
const PAYLOAD_ROOM_BYTES = BYTES - 64 * 1024;

type Found = { readonly number: number; readonly subject: string; readonly payload: string };

class Ring {
  readonly writer: RingWriter;
  readonly reader: RingReader;
  readonly found: (Found | "mark")[] = [];

  constructor() {
    const memory = createRingMemory(BYTES);
    this.writer = new RingWriter(memory);
    this.reader = new RingReader(memory);
  }

  write(number: number, subject: string, payload: Uint8Array): boolean {
    const name = subject === "" ? undefined : Buffer.from(subject);
    return this.writer.write(number, name, payload);
  }

  read(itemsMax = Number.POSITIVE_INFINITY): number {
    return this.reader.read(
      {
        onItem: (number, subject, payload) => {
          this.found.push({ number, subject: textOf(subject), payload: textOf(payload) });
        },
        onMark: () => void this.found.push("mark"),
      },
      itemsMax,
    );
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

describe("a ring of bytes between two threads", () => {
  test.each([-1, 0, 1])("an item that is %i bytes larger than the room is kept out", (more) => {
    const ring = new Ring();
    const filler = new Uint8Array(16 * 1024 - HEADER_BYTES);
    for (let items = 0; items < 11; items += 1) expect(ring.write(0, "", filler)).toBe(true);
    const room = PAYLOAD_ROOM_BYTES - ring.writer.usedBytes - HEADER_BYTES;
    const last = new Uint8Array(room + more * 4).fill(7);
    expect(ring.write(1, "", last)).toBe(more <= 0);
    // A mark has room all the same.
    expect(ring.writer.mark(() => undefined)).toBe(true);
    expect(ring.read()).toBe(more <= 0 ? 13 : 12);
    expect(ring.found.at(-1)).toBe("mark");
    expect(ring.writer.usedBytes).toBe(0);
  });

  test("marks have room until the ring is full of them, and are counted as they are read", () => {
    const ring = new Ring();
    let sent = 0;
    while (ring.writer.mark(() => (sent += 1)));
    expect(sent).toBe(BYTES / HEADER_BYTES);
    ring.read(10);
    expect(ring.writer.marksRead).toBe(10);
    expect(ring.writer.mark(() => (sent += 1))).toBe(true);
  });

  test("a reader that goes to sleep is woken once, and not if something came before", () => {
    const ring = new Ring();
    expect(ring.writer.takeSleeper()).toBe(false);
    expect(ring.reader.sleep()).toBe(true);
    ring.write(1, "", new Uint8Array(1));
    expect(ring.writer.takeSleeper()).toBe(true);
    expect(ring.writer.takeSleeper()).toBe(false);
    expect(ring.reader.sleep()).toBe(false);
    ring.read();
    expect(ring.reader.sleep()).toBe(true);
  });

  test("whatever is written and read comes out as a queue would have it", () => {
    const step = fc.record({
      length: fc.oneof(fc.nat(40), fc.nat(20_000), fc.constant(65_536 - HEADER_BYTES)),
      subject: fc.constantFrom("", "a", "md.v2.x", "long".repeat(20)),
      kind: fc.constantFrom("write", "write", "write", "mark", "read"),
      itemsMax: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const ring = new Ring();
        const expected: (Found | "mark")[] = [];
        for (const [at, { length, subject, kind, itemsMax }] of steps.entries()) {
          if (kind === "read") ring.read(itemsMax);
          else if (kind === "mark") ring.writer.mark(() => void expected.push("mark"));
          else {
            const payload = new Uint8Array(length).fill(at & 255);
            if (ring.write(at, subject, payload)) {
              expected.push({ number: at, subject, payload: textOf(payload) });
            }
          }
        }
        ring.read();
        expect(ring.found).toEqual(expected);
        expect(ring.reader.isEmpty).toBe(true);
      }),
    );
  });
});
