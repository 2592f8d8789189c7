import { assert } from "#core/assert.ts";
import type { FrameBuffer } from "./frame-buffer.ts";

/** Of every lane in which nothing waits: a session has several, and most are idle. */
const NOTHING: readonly Uint8Array[] = [];

/**
 * Messages that wait for their frame, oldest first. Each entry is whole elements of
 * ServerFrame.messages; the lane owns its bytes.
 */
export class MessageLane {
  #entries = NOTHING;
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries that wait. */
  get length(): number {
    return this.#entries.length;
  }

  push(entry: Uint8Array): void {
    if (this.#entries === NOTHING) this.#entries = [entry];
    else (this.#entries as Uint8Array[]).push(entry);
    this.#bytes += entry.byteLength;
  }

  /** Copies entries into the frame while they fit; says how many. They stay until `consume`. */
  fill(frame: FrameBuffer): number {
    let filled = 0;
    for (const entry of this.#entries) {
      if (!frame.put(entry)) break;
      filled += 1;
    }
    return filled;
  }

  /** Drops the oldest entries, because their frame was taken by the transport. */
  consume(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#bytes -= this.#entries[index]?.byteLength ?? 0;
    }
    // An array keeps its room, which a session may not need again for hours.
    this.#entries = count === this.#entries.length ? NOTHING : this.#entries.slice(count);
    assert(this.#entries.length > 0 || this.#bytes === 0, "an empty lane owes no bytes");
  }

  clear(): void {
    this.#entries = NOTHING;
    this.#bytes = 0;
  }
}
