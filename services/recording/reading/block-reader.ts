import { open, type FileHandle } from "node:fs/promises";
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  isBlockWhole,
  readBlockHeader,
  type BlockHeader,
} from "../format/block.ts";
import { decompressorOf } from "../format/compression.ts";

/** What of a recording could not be read. */
export type RecordingDamage = {
  /** Behind the last whole block of files: what a kill cuts off. */
  tornBytes: number;
  /** Between whole blocks, or in blocks that are whole and say nothing that is understood. */
  damagedBytes: number;
};

/** A whole block where it is in its file. */
type FoundBlock = {
  readonly header: BlockHeader;
  readonly position: number;
  readonly bytes: number;
  /** Restores what was stored. Undefined if the block has other content than its header says. */
  content(): Promise<Buffer | undefined>;
};

/** So much is read at once where a block has to be looked for. */
const SEARCH_BYTES = 256 * 1024;

/**
 * The whole blocks of a file, in order: header and checksum are right. What is between them, and
 * behind the last one, is passed over and counted. A file may grow while it is read.
 */
export async function* readBlocks(
  path: string,
  damage: RecordingDamage,
): AsyncGenerator<FoundBlock> {
  const file = await open(path, "r");
  try {
    let position = 0;
    let unread = 0;
    for (;;) {
      const found = await findBlock(file, position);
      unread += found.skippedBytes;
      if (found.block === undefined) break;
      damage.damagedBytes += unread;
      unread = 0;
      position = found.block.position + found.block.bytes;
      yield found.block;
    }
    damage.tornBytes += unread;
  } finally {
    await file.close();
  }
}

type Search = { readonly block: FoundBlock | undefined; readonly skippedBytes: number };

async function findBlock(file: FileHandle, start: number): Promise<Search> {
  let position = start;
  for (;;) {
    const block = await blockAt(file, position);
    if (block !== undefined) return { block, skippedBytes: position - start };
    const next = await findMagic(file, position + 1);
    if (next === undefined) {
      const { size } = await file.stat();
      return { block: undefined, skippedBytes: Math.max(0, size - start) };
    }
    position = next;
  }
}

/** The block that begins here, if there is a whole one. */
async function blockAt(file: FileHandle, position: number): Promise<FoundBlock | undefined> {
  const head = await read(file, position, BLOCK_HEADER_BYTES);
  const header = readBlockHeader(head, 0);
  if (header === undefined) return undefined;
  const bytes = BLOCK_HEADER_BYTES + header.storedBytes;
  const block = await read(file, position, bytes);
  if (block.length < bytes || !isBlockWhole(block)) return undefined;
  return {
    header,
    position,
    bytes,
    content: async () => {
      const stored = block.subarray(BLOCK_HEADER_BYTES);
      const { compression, rawBytes } = header;
      try {
        const raw = await decompressorOf(compression)(stored, rawBytes);
        return raw.byteLength === rawBytes ? Buffer.from(raw) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** Where the first bytes of a block are, from here on. */
async function findMagic(file: FileHandle, start: number): Promise<number | undefined> {
  for (let position = start; ; position += SEARCH_BYTES) {
    // A little more, because what is looked for may lie across the edge.
    const chunk = await read(file, position, SEARCH_BYTES + BLOCK_MAGIC.length - 1);
    const at = chunk.indexOf(BLOCK_MAGIC);
    if (at >= 0) return position + at;
    if (chunk.length < SEARCH_BYTES) return undefined;
  }
}

/** Up to so many bytes; fewer at the end of the file. */
async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
