import { assert } from "#core/assert.ts";

/** Positions of both ends, whether the reader sleeps, and marks read: a cache line for each. */
const HEAD = 0;
const TAIL = 16;
const ASLEEP = 32;
const MARKS_READ = 48;
const CONTROL_BYTES = 256;

/** Length of the item, its number, and the lengths of its subject and of its payload. */
const ITEM_WORDS = 4;
const ITEM_HEADER_BYTES = ITEM_WORDS * 4;

/** The rest of the ring is empty; the next item is at its beginning. */
const WRAP = -1;
/** An object has been sent beside the ring, and has its place here. */
const MARK = -2;

/** Kept free of payloads, so that there is room for marks when there is none for payloads. */
const MARKS_BYTES = 64 * 1024;
const RING_BYTES_MIN = 4 * MARKS_BYTES;

/** Memory that two threads share for a ring of `bytes`, a power of two of at least 256 KiB. */
export function createRingMemory(bytes: number): SharedArrayBuffer {
  assert(bytes >= RING_BYTES_MIN, "a ring has room for marks and payloads");
  assert((bytes & (bytes - 1)) === 0, "a ring's length is a power of two");
  return new SharedArrayBuffer(CONTROL_BYTES + bytes);
}

/** What both ends see of a ring. Positions count bytes modulo 2^32. */
class RingEnd {
  protected readonly control: Int32Array;
  protected readonly words: Int32Array;
  protected readonly bytes: Uint8Array;
  readonly capacity: number;

  constructor(memory: SharedArrayBuffer) {
    this.capacity = memory.byteLength - CONTROL_BYTES;
    this.control = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.words = new Int32Array(memory, CONTROL_BYTES, this.capacity / 4);
    this.bytes = new Uint8Array(memory, CONTROL_BYTES, this.capacity);
  }

  /** Bytes that were written and not read. */
  get usedBytes(): number {
    return (Atomics.load(this.control, HEAD) - Atomics.load(this.control, TAIL)) >>> 0;
  }
}

/**
 * The end that writes. Nothing waits: an item for which there is no room is not written. Only one
 * thread writes.
 */
export class RingWriter extends RingEnd {
  #head = 0;

  /** The largest item that is taken. What is larger goes beside the ring, with a mark in it. */
  get itemBytesMax(): number {
    return this.capacity >> 2;
  }

  /** False if there is no room now. `number` is not negative. */
  write(number: number, subject: Uint8Array | undefined, payload: Uint8Array): boolean {
    const subjectBytes = subject === undefined ? 0 : subject.length;
    const bytes = ITEM_HEADER_BYTES + ((subjectBytes + payload.length + 3) & ~3);
    const at = this.#place(bytes, MARKS_BYTES);
    if (at < 0) return false;
    this.#header(at, bytes, number);
    this.words[(at >> 2) + 2] = subjectBytes;
    this.words[(at >> 2) + 3] = payload.length;
    if (subject !== undefined) this.bytes.set(subject, at + ITEM_HEADER_BYTES);
    this.bytes.set(payload, at + ITEM_HEADER_BYTES + subjectBytes);
    this.#commit(bytes);
    return true;
  }

  /** Sends an object beside the ring and gives it its place. False if there is no room now. */
  mark(send: () => void): boolean {
    const at = this.#place(ITEM_HEADER_BYTES, 0);
    if (at < 0) return false;
    // First the object: whoever reads the mark finds it.
    send();
    this.#header(at, ITEM_HEADER_BYTES, MARK);
    this.#commit(ITEM_HEADER_BYTES);
    return true;
  }

  /** Marks that were read so far, modulo 2^32. */
  get marksRead(): number {
    return Atomics.load(this.control, MARKS_READ) >>> 0;
  }

  /** True once for each time that the reader has gone to sleep: then it is to be woken. */
  takeSleeper(): boolean {
    return Atomics.exchange(this.control, ASLEEP, 0) === 1;
  }

  /** Where an item of so many bytes goes, at least `spare` bytes away from the reader; or -1. */
  #place(bytes: number, spare: number): number {
    const at = (this.#head >>> 0) & (this.capacity - 1);
    const tillEnd = this.capacity - at;
    const skipped = bytes > tillEnd ? tillEnd : 0;
    if (this.usedBytes + skipped + bytes + spare > this.capacity) return -1;
    if (skipped === 0) return at;
    // At least one word is left, because all items are whole words.
    this.words[at >> 2] = skipped;
    if (skipped > 4) this.words[(at >> 2) + 1] = WRAP;
    this.#head = (this.#head + skipped) | 0;
    return 0;
  }

  #header(at: number, bytes: number, number: number): void {
    this.words[at >> 2] = bytes;
    this.words[(at >> 2) + 1] = number;
  }

  #commit(bytes: number): void {
    this.#head = (this.#head + bytes) | 0;
    Atomics.store(this.control, HEAD, this.#head);
  }
}

/** What is found in a ring. */
type RingVisitor = {
  /** `subject` is empty where the number says it; `payload` is the receiver's own. */
  onItem(number: number, subject: Uint8Array, payload: Uint8Array): void;
  /** The next object that was sent beside the ring is due. */
  onMark(): void;
};

const NOTHING = new Uint8Array();

/** The end that reads. Only one thread reads. */
export class RingReader extends RingEnd {
  #tail = 0;

  /** Hands out up to `itemsMax` of what is there. Returns how many it was. */
  read(visitor: RingVisitor, itemsMax: number): number {
    const head = Atomics.load(this.control, HEAD);
    let items = 0;
    while (this.#tail !== head && items < itemsMax) {
      const at = (this.#tail >>> 0) & (this.capacity - 1);
      const length = this.words[at >> 2] as number;
      const isWrap = this.capacity - at < ITEM_HEADER_BYTES || this.words[(at >> 2) + 1] === WRAP;
      if (!isWrap) {
        this.#handOut(at, visitor);
        items += 1;
      }
      this.#tail = (this.#tail + length) | 0;
      Atomics.store(this.control, TAIL, this.#tail);
    }
    return items;
  }

  get isEmpty(): boolean {
    return this.#tail === Atomics.load(this.control, HEAD);
  }

  /**
   * The reader waits to be woken from now on. False if something has come meanwhile: then it is
   * awake and reads on.
   */
  sleep(): boolean {
    Atomics.store(this.control, ASLEEP, 1);
    if (this.isEmpty) return true;
    // Whoever writes may have seen it asleep by now, and wakes it for nothing.
    Atomics.store(this.control, ASLEEP, 0);
    return false;
  }

  #handOut(at: number, visitor: RingVisitor): void {
    const number = this.words[(at >> 2) + 1] as number;
    if (number === MARK) {
      visitor.onMark();
      Atomics.add(this.control, MARKS_READ, 1);
      return;
    }
    const subjectBytes = this.words[(at >> 2) + 2] as number;
    const start = at + ITEM_HEADER_BYTES + subjectBytes;
    const end = start + (this.words[(at >> 2) + 3] as number);
    const subject = subjectBytes === 0 ? NOTHING : this.bytes.slice(at + ITEM_HEADER_BYTES, start);
    visitor.onItem(number, subject, this.bytes.slice(start, end));
  }
}
