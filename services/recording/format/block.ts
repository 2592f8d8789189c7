import { crc32 } from "node:zlib";
import { assert } from "#core/assert.ts";
import { COMPRESSIONS, type Compression } from "./compression.ts";

/** What stands before the content of a block. */
export type BlockHeader = {
  readonly compression: Compression;
  /** Length of the content as it is in the file. */
  readonly storedBytes: number;
  /** Length of the content before it was compressed. */
  readonly rawBytes: number;
  /** Events in it, those that only repeat a state not counted. */
  readonly events: number;
  /** Of the first and the last entry, on the recorder's clock, in microseconds since 1970. */
  readonly firstTimeUs: number;
  readonly lastTimeUs: number;
};

/** What a block is made of besides its stored content. */
type BlockFacts = Omit<BlockHeader, "storedBytes">;

/** First bytes of every block, "TKWR" in ASCII. */
export const BLOCK_MAGIC = Buffer.from("TKWR", "latin1");
export const BLOCK_HEADER_BYTES = 44;

/** A header that says more is none. */
export const BLOCK_BYTES_MAX = 64 * 1024 * 1024;

const VERSION = 1;
const CHECKSUM_AT = BLOCK_HEADER_BYTES - 4;

/**
 * A block with its header, as it goes into a file. It stands alone: its length and a checksum over
 * header and content are in front, so that whatever is whole can be told from what is torn.
 */
export function encodeBlock(facts: BlockFacts, stored: Uint8Array): Uint8Array {
  assert(stored.byteLength <= BLOCK_BYTES_MAX, "a block is no longer than BLOCK_BYTES_MAX");
  const block = Buffer.alloc(BLOCK_HEADER_BYTES + stored.byteLength);
  BLOCK_MAGIC.copy(block);
  block[4] = VERSION;
  block[5] = COMPRESSIONS.indexOf(facts.compression);
  block.writeUInt32LE(stored.byteLength, 8);
  block.writeUInt32LE(facts.rawBytes, 12);
  block.writeUInt32LE(facts.events, 16);
  block.writeDoubleLE(facts.firstTimeUs, 20);
  block.writeDoubleLE(facts.lastTimeUs, 28);
  block.set(stored, BLOCK_HEADER_BYTES);
  block.writeUInt32LE(checksumOf(block), CHECKSUM_AT);
  return block;
}

/**
 * The header that begins at `start`; undefined if none does. Whether the content is whole,
 * `isBlockWhole` says.
 */
export function readBlockHeader(bytes: Buffer, start: number): BlockHeader | undefined {
  if (bytes.length - start < BLOCK_HEADER_BYTES) return undefined;
  if (!bytes.subarray(start, start + 4).equals(BLOCK_MAGIC)) return undefined;
  const compression = COMPRESSIONS[bytes[start + 5] ?? COMPRESSIONS.length];
  if (bytes[start + 4] !== VERSION || compression === undefined) return undefined;
  const header = {
    compression,
    storedBytes: bytes.readUInt32LE(start + 8),
    rawBytes: bytes.readUInt32LE(start + 12),
    events: bytes.readUInt32LE(start + 16),
    firstTimeUs: bytes.readDoubleLE(start + 20),
    lastTimeUs: bytes.readDoubleLE(start + 28),
  };
  const isSound =
    header.storedBytes <= BLOCK_BYTES_MAX &&
    header.rawBytes <= BLOCK_BYTES_MAX &&
    Number.isSafeInteger(header.firstTimeUs) &&
    Number.isSafeInteger(header.lastTimeUs) &&
    header.firstTimeUs <= header.lastTimeUs;
  return isSound ? header : undefined;
}

/** Whether header and content are as they were written. `block` is exactly as long as they are. */
export function isBlockWhole(block: Buffer): boolean {
  return block.readUInt32LE(CHECKSUM_AT) === checksumOf(block);
}

/** Over all of the block but the checksum itself. */
function checksumOf(block: Buffer): number {
  const head = crc32(block.subarray(0, CHECKSUM_AT));
  return crc32(block.subarray(BLOCK_HEADER_BYTES), head);
}
