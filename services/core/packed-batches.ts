import { assert } from "./assert.ts";
import {
  FIRST_BYTES_MAX,
  SECOND_BYTES_MAX,
  head,
  read,
  readHead,
  readPage,
} from "./packed-page.ts";
import type { PackedBatch, Page } from "./packed-page.ts";
import { PackedPart, packedPartMax } from "./packed-part.ts";
import { putPaddedVarint, putVarint, varintLength } from "./varint.ts";

export type { PackedBatch };

/**
 * Where a batch lies in the bytes that it came in. It has two parts, the second behind the first,
 * of which each resembles the same part of the batch before. One without a first part resembles
 * nothing: its second lies here as it is, and may be kept by whoever reads it.
 */
export type BatchParts = {
  readonly start: number;
  readonly firstLength: number;
  readonly secondLength: number;
};

/** Memory is taken in pages: small ones at first, and none above the second unless a batch is. */
export const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 8_192;
/** A new page has this part of what is held. */
const PAGE_PART = 1 / 4;
/** Of the numbers before a batch, at most. */
const HEAD_BYTES_MAX = 24;
/** Of a batch whose length, doubled, is one byte. */
const SMALL_BYTES_MAX = 63;
/**
 * The last batches of one topic, oldest first, of which nothing is an object. Each of the two parts
 * of a batch is kept as the bytes in which it differs from that of the batch before: of the base,
 * which is most of a small batch, few do. Batches lie in pages of some kilobytes. The first one of
 * a page is compared with nothing, so that a page is read without the others.
 *
 * What holds, and what enforces it:
 * 1. Batches of a page go on from each other: `needsPage`.
 * 2. A batch ends within its page: `needsPage` counts with the most that it may take, and `push`
 *    asserts it.
 * 3. What is asked for is there: each index is asserted to be below `length`.
 */
export class PackedBatches {
  readonly #pages: Page[] = [];
  #length = 0;
  #dropped = 0;
  #bytes = 0;
  #heldBytes = 0;
  /** Where the oldest batch lies in the first page, and the sequence that it goes on from. */
  #oldestStart = 0;
  #oldestBase = 0;
  /** Where the newest batch lies in the last page. */
  #newestStart = 0;
  /** The last page. */
  #newest: Page | undefined;
  /** Of the page that went last, if another is about to take its place. */
  #spare: Uint8Array | undefined;
  readonly #first = new PackedPart(FIRST_BYTES_MAX);
  readonly #second = new PackedPart(SECOND_BYTES_MAX);

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** How many there were before the oldest of them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Of the batches as they came. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory that is held for them. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether a page must be added before this batch is pushed. */
  needsPage(parts: BatchParts, baseSequence: number): boolean {
    const page = this.#newest;
    if (page === undefined || page.lastSequence !== baseSequence) return true;
    return page.bytes.length - page.used < packedBytesMax(parts);
  }

  /** Bytes of a page for this batch, of at most `roomBytes` unless the batch alone needs more. */
  pageBytes(parts: BatchParts, roomBytes = Infinity): number {
    const part = Math.ceil(this.#heldBytes * PAGE_PART);
    const wanted = Math.min(PAGE_BYTES_MAX, Math.max(PAGE_BYTES_MIN, part));
    return Math.max(packedBytesMax(parts), Math.min(wanted, roomBytes));
  }

  /** Adds a page of so many bytes. Its first batch goes on from this sequence. */
  addPage(bytes: number, baseSequence: number): void {
    assert(Number.isInteger(bytes), "a page has whole bytes, as they are counted");
    const spare = this.#spare;
    this.#spare = undefined;
    this.#newest = {
      bytes: spare?.length === bytes ? spare : new Uint8Array(bytes),
      used: 0,
      firstOrdinal: this.#dropped + this.#length,
      count: 0,
      contentBytes: 0,
      baseSequence,
      lastSequence: baseSequence,
      timeMs: 0,
    };
    this.#pages.push(this.#newest);
    this.#heldBytes += bytes;
    this.#first.reset();
    this.#second.reset();
    if (this.#pages.length === 1) this.#oldestBase = baseSequence;
  }

  /** Copies a batch, which goes on from where the newest page ends, behind the others. */
  push(source: Uint8Array, parts: BatchParts, lastSequence: number): void {
    const page = this.#newest;
    assert(page !== undefined, "a batch is put into a page");
    const { firstLength, secondLength } = parts;
    const { bytes, used } = page;
    const sizeMax = packedBytesMax(parts);
    assert(bytes.length - used >= sizeMax, "a batch has room in its page");
    const advance = lastSequence - page.lastSequence;
    if (firstLength === 0) {
      let from = putVarint(bytes, used, 2 * secondLength + 1);
      from = putVarint(bytes, from, advance);
      this.#pushed(page, putBytes(bytes, from, source, parts.start, secondLength), parts);
      page.lastSequence = lastSequence;
      return;
    }
    // Most take less than 64 bytes; what takes more is moved by one.
    let sizeLength = sizeMax < 2 * SMALL_BYTES_MAX ? 1 : varintLength(2 * sizeMax);
    const start = used + sizeLength;
    let at = putVarint(bytes, start, advance);
    at = putVarint(bytes, at, firstLength);
    at = putVarint(bytes, at, secondLength);
    at = this.#first.put(bytes, at, source, parts.start, firstLength);
    at = this.#second.put(bytes, at, source, parts.start + firstLength, secondLength);
    const size = at - start;
    if (sizeLength === 1 && size > SMALL_BYTES_MAX) {
      bytes.copyWithin(start + 1, start, at);
      sizeLength = 2;
      at += 1;
    }
    putPaddedVarint(bytes, used, 2 * size, sizeLength);
    this.#pushed(page, at, parts);
    page.lastSequence = lastSequence;
  }

  /** A batch lies behind the others of the newest page and ends here. */
  #pushed(page: Page, end: number, { firstLength, secondLength }: BatchParts): void {
    this.#newestStart = page.used;
    page.used = end;
    page.count += 1;
    page.contentBytes += firstLength + secondLength;
    this.#length += 1;
    this.#bytes += firstLength + secondLength;
  }

  /** The newest batch came at this time. */
  noteTime(timeMs: number): void {
    if (this.#newest !== undefined) this.#newest.timeMs = timeMs;
  }

  /** When the last batch of the oldest page came. */
  get oldestTimeMs(): number {
    return this.#pages[0]?.timeMs ?? 0;
  }

  /**
   * The oldest goes, and its page with the last one that lies in it. Returns the sequence of its
   * last event.
   */
  dropOldest(): number {
    const page = this.#pages[0];
    assert(page !== undefined && this.#length > 0, "what is dropped was kept");
    readHead(page.bytes, this.#oldestStart);
    this.#bytes -= head.firstLength + head.secondLength;
    this.#oldestStart = head.end;
    this.#oldestBase += head.advance;
    this.#length -= 1;
    this.#dropped += 1;
    const lastSequence = this.#oldestBase;
    if (this.#dropped === page.firstOrdinal + page.count) this.#dropPage(page);
    return lastSequence;
  }

  /** All of the oldest page goes, to make room for another. Returns the bytes that it had. */
  dropOldestPage(): number {
    const page = this.#pages[0];
    assert(page !== undefined, "a page that is dropped was there");
    // Part of it has gone: what that was is known of what is left.
    while (this.#oldestStart > 0) this.dropOldest();
    if (this.#pages[0] === page) {
      this.#bytes -= page.contentBytes;
      this.#length -= page.count;
      this.#dropped += page.count;
      this.#dropPage(page);
    }
    this.#spare = page.bytes;
    return page.bytes.length;
  }

  #dropPage(page: Page): void {
    this.#pages.shift();
    if (this.#pages.length === 0) this.#newest = undefined;
    this.#heldBytes -= page.bytes.length;
    this.#oldestStart = 0;
    this.#oldestBase = this.#pages[0]?.baseSequence ?? 0;
  }

  /** Where the batches begin that have an event after `sequence`; `length` if none has. */
  indexAfter(sequence: number): number {
    const pages = this.#pages;
    let low = 0;
    let high = pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (pages[middle]!.lastSequence > sequence) high = middle;
      else low = middle + 1;
    }
    const page = pages[low];
    if (page === undefined) return this.#length;
    let index = this.#enter(page);
    for (;;) {
      readHead(page.bytes, head.end);
      read.lastSequence += head.advance;
      if (read.lastSequence > sequence) return index;
      index += 1;
    }
  }

  /** The sequence of the last event of a batch. */
  lastSequenceAt(index: number): number {
    this.#find(index);
    return read.lastSequence;
  }

  /** The sequence that a batch goes on from. */
  baseSequenceAt(index: number): number {
    this.#find(index);
    return read.lastSequence - head.advance;
  }

  /** Of the batches from an index on, as they came. */
  bytesFrom(index: number): number {
    let before = 0;
    let page = this.#pages[0];
    if (page === undefined) return 0;
    for (let number = 0, at = 0; at < index; number += 1) {
      page = this.#pages[number]!;
      this.#enter(page);
      for (const end = page.firstOrdinal + page.count - this.#dropped; at < end; at += 1) {
        if (at === index) break;
        readHead(page.bytes, head.end);
        before += head.firstLength + head.secondLength;
      }
    }
    return this.#bytes - before;
  }

  /**
   * Reads the batches from an index on, as long as `take` says true. Those of the same page that
   * come before them are given to `pass`.
   */
  readFrom(
    index: number,
    take: (batch: PackedBatch) => boolean,
    pass?: (batch: PackedBatch) => void,
  ): void {
    if (index === this.#length) return;
    const isAlone = pass === undefined && index === this.#length - 1;
    if (isAlone && this.#takesNewest(take)) return;
    const ordinal = this.#dropped + index;
    for (let at = this.#pages.indexOf(this.#pageOf(index)); at < this.#pages.length; at += 1) {
      if (!readPage(this.#pages[at]!, ordinal, take, pass)) return;
    }
  }

  /** Gives the newest batch, if that is known without the others. */
  #takesNewest(take: (batch: PackedBatch) => boolean): boolean {
    const page = this.#pages.at(-1)!;
    readHead(page.bytes, this.#newestStart);
    const { firstLength, secondLength, advance } = head;
    if (firstLength === 0 && secondLength > 0) return false;
    if (!this.#first.isPacked(firstLength) || !this.#second.isPacked(secondLength)) return false;
    read.baseSequence = page.lastSequence - advance;
    read.lastSequence = page.lastSequence;
    read.firstLength = firstLength;
    read.secondLength = secondLength;
    read.firstBytes = this.#first.bytes;
    read.firstStart = 0;
    read.secondBytes = this.#second.bytes;
    read.secondStart = 0;
    take(read);
    return true;
  }

  /** Reads the head of a batch, and the sequence of its last event. */
  #find(index: number): void {
    const page = this.#pageOf(index);
    for (let rest = index - this.#enter(page); rest >= 0; rest -= 1) {
      readHead(page.bytes, head.end);
      read.lastSequence += head.advance;
    }
  }

  /** Stands before the first batch of a page that is still here, and returns its index. */
  #enter(page: Page): number {
    const isOldest = page === this.#pages[0];
    head.end = isOldest ? this.#oldestStart : 0;
    read.lastSequence = isOldest ? this.#oldestBase : page.baseSequence;
    return isOldest ? 0 : page.firstOrdinal - this.#dropped;
  }

  #pageOf(index: number): Page {
    assert(index >= 0 && index < this.#length, "what is asked for is kept");
    const ordinal = this.#dropped + index;
    const pages = this.#pages;
    let low = 0;
    let high = pages.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (pages[middle]!.firstOrdinal <= ordinal) low = middle;
      else high = middle - 1;
    }
    return pages[low]!;
  }
}

/** The most that a batch takes of a page. */
export function packedBytesMax({ firstLength, secondLength }: Omit<BatchParts, "start">): number {
  return HEAD_BYTES_MAX + packedPartMax(firstLength) + packedPartMax(secondLength);
}

/** Up to here, bytes are copied one by one, which is faster than by a view of them. */
const SHORT_BYTES = 48;

/** Copies bytes as they are. Returns the position behind them. */
function putBytes(
  target: Uint8Array,
  position: number,
  source: Uint8Array,
  start: number,
  length: number,
): number {
  if (length > SHORT_BYTES) target.set(source.subarray(start, start + length), position);
  else {
    for (let index = 0; index < length; index += 1) {
      target[position + index] = source[start + index] as number;
    }
  }
  return position + length;
}
