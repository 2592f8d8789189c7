import { assert } from "./assert.ts";
import { PackedPart } from "./packed-part.ts";
import { takeVarint, varintEnd } from "./varint.ts";

/** A batch as it is read. What it says is good until the next one is read. */
export type PackedBatch = {
  /** The sequence that it goes on from. */
  baseSequence: number;
  lastSequence: number;
  firstLength: number;
  secondLength: number;
  /** In which its first part lies, and where. */
  firstBytes: Uint8Array;
  firstStart: number;
  /** The same of the second. */
  secondBytes: Uint8Array;
  secondStart: number;
};

/** A piece of memory for batches that go on from each other. */
export type Page = {
  readonly bytes: Uint8Array;
  used: number;
  /** Batches that came before its first, since there are any. */
  readonly firstOrdinal: number;
  count: number;
  /** Of its batches as they came. */
  contentBytes: number;
  /** The sequence that its first batch goes on from, and that of the last event of its last. */
  readonly baseSequence: number;
  lastSequence: number;
  /** When its last batch came, if its owner says it. */
  timeMs: number;
};

/** What is longer is not compared with what was before it. */
export const FIRST_BYTES_MAX = 128;
export const SECOND_BYTES_MAX = 256;
const EMPTY = new Uint8Array(0);

/** The numbers before a batch: how far it goes, and how long its parts are. */
type Head = {
  /** Where the parts begin, and the next batch. */
  start: number;
  end: number;
  advance: number;
  firstLength: number;
  secondLength: number;
};

// Reading is synchronous and never re-entered.
export const head: Head = { start: 0, end: 0, advance: 0, firstLength: 0, secondLength: 0 };
const readFirst = new PackedPart(FIRST_BYTES_MAX);
const readSecond = new PackedPart(SECOND_BYTES_MAX);
export const read: PackedBatch = {
  baseSequence: 0,
  lastSequence: 0,
  firstLength: 0,
  secondLength: 0,
  firstBytes: EMPTY,
  firstStart: 0,
  secondBytes: EMPTY,
  secondStart: 0,
};

/** Reads the batches of a page that are not before `ordinal`. False if `take` wants no more. */
export function readPage(
  page: Page,
  ordinal: number,
  take: (batch: PackedBatch) => boolean,
  pass?: (batch: PackedBatch) => void,
): boolean {
  const { bytes, firstOrdinal, count } = page;
  readFirst.reset();
  readSecond.reset();
  let end = 0;
  let sequence = page.baseSequence;
  for (let index = 0; index < count; index += 1) {
    readHead(bytes, end);
    end = head.end;
    const { firstLength, secondLength, start, advance } = head;
    const isFirstPacked = readFirst.isPacked(firstLength);
    const isSecondPacked = firstLength > 0 && readSecond.isPacked(secondLength);
    const middle = isFirstPacked ? readFirst.take(bytes, start, firstLength) : start + firstLength;
    if (isSecondPacked) readSecond.take(bytes, middle, secondLength);
    sequence += advance;
    const isBefore = firstOrdinal + index < ordinal;
    if (isBefore && pass === undefined) continue;
    read.baseSequence = sequence - advance;
    read.lastSequence = sequence;
    read.firstLength = firstLength;
    read.secondLength = secondLength;
    read.firstBytes = isFirstPacked ? readFirst.bytes : bytes;
    read.firstStart = isFirstPacked ? 0 : start;
    read.secondBytes = isSecondPacked ? readSecond.bytes : bytes;
    read.secondStart = isSecondPacked ? 0 : middle;
    if (isBefore) pass?.(read);
    else if (!take(read)) return false;
  }
  return true;
}

/**
 * Reads the numbers before the batch that begins at `at` into `head`: the length of what is behind
 * the first number, doubled, how far it goes, and the lengths of its parts; of one without a first
 * part the length of the second, doubled, and one, and how far it goes.
 */
export function readHead(bytes: Uint8Array, at: number): void {
  const number = takeVarint(bytes, at);
  const size = Math.floor(number / 2);
  const numberEnd = varintEnd;
  head.advance = takeVarint(bytes, numberEnd);
  if (number % 2 === 1) {
    head.firstLength = 0;
    head.secondLength = size;
    head.end = varintEnd + size;
  } else {
    head.firstLength = takeVarint(bytes, varintEnd);
    head.secondLength = takeVarint(bytes, varintEnd);
    head.end = numberEnd + size;
  }
  head.start = varintEnd;
  assert(head.end <= bytes.length, "a batch ends within its page");
}
