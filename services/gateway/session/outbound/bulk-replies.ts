import { assert } from "#core/assert.ts";
import type { FrameBuffer } from "./frame-buffer.ts";
import { mustCut, PART_LANES, putPart } from "./part.ts";

type Entry = { readonly callId: number; readonly bytes: Uint8Array };

/**
 * Large replies that wait, oldest first, and what follows them of the same calls. They leave as
 * market data does, so that a small reply overtakes them. Each entry is whole elements of
 * ServerFrame.messages; the lane owns its bytes.
 */
export class BulkReplies {
  #entries: Entry[] = [];
  #bytes = 0;
  /** Bytes of the oldest entry that have left in pieces. */
  #cutBytes = 0;
  /** Bytes of it that were put into the frame at hand. */
  #partBytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether something of this call waits, behind which the rest of it has to stay. */
  has(callId: number): boolean {
    return this.#entries.some((entry) => entry.callId === callId);
  }

  push(callId: number, bytes: Uint8Array): void {
    this.#entries.push({ callId, bytes });
    this.#bytes += bytes.byteLength;
  }

  /**
   * Copies entries into the frame while they fit, or a piece of the oldest if that is too large;
   * says how many are whole. They stay until `consume`.
   */
  fill(frame: FrameBuffer, mayCut: boolean): number {
    this.#partBytes = 0;
    const [oldest] = this.#entries;
    if (oldest !== undefined && mayCut && (this.#cutBytes > 0 || mustCut(frame, oldest.bytes))) {
      this.#partBytes = putPart(frame, PART_LANES.replies, oldest.bytes, this.#cutBytes);
      return 0;
    }
    let filled = 0;
    for (const { bytes } of this.#entries) {
      if (!frame.put(bytes)) break;
      filled += 1;
    }
    return filled;
  }

  /** Drops what the last `fill` took, because its frame was taken by the transport. */
  consume(count: number): void {
    for (const { bytes } of this.#entries.splice(0, count)) this.#bytes -= bytes.byteLength;
    this.#bytes -= this.#partBytes;
    this.#cutBytes += this.#partBytes;
    this.#partBytes = 0;
    if (this.#cutBytes > 0 && this.#cutBytes === this.#entries[0]?.bytes.byteLength) {
      this.#entries.shift();
      this.#cutBytes = 0;
    }
    assert(this.#entries.length > 0 || this.#bytes === 0, "an empty lane owes no bytes");
  }

  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
    this.#cutBytes = 0;
    this.#partBytes = 0;
  }
}
