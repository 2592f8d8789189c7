/** A frame is cut here, so that what is more urgent never waits behind more than this. */
const FRAME_BYTES_MAX = 256 * 1024;

/**
 * The buffer that frames are put together in, one after the other. It grows to the largest frame
 * and is never given away: whoever sends `bytes` copies them before the next frame begins.
 */
export class FrameBuffer {
  #buffer = new Uint8Array(64 * 1024);
  #length = 0;
  #bytesMax = FRAME_BYTES_MAX;

  /** Bytes of the frame so far. */
  get length(): number {
    return this.#length;
  }

  /** The frame so far. Valid until the next call of `begin` or `put`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Bytes that may still come into the frame. */
  get room(): number {
    return Math.max(0, this.#bytesMax - this.#length);
  }

  /** Begins a new frame. */
  begin(): void {
    this.#length = 0;
    this.#bytesMax = FRAME_BYTES_MAX;
  }

  /** At most so much is to come behind what is there. */
  limitRest(bytesMax: number): void {
    this.#bytesMax = Math.min(this.#length + bytesMax, FRAME_BYTES_MAX);
  }

  /**
   * Copies one entry behind what is there. False, and nothing is copied, if the frame would exceed
   * its limit; the first entry of a frame always fits, because an entry cannot be cut.
   */
  put(entry: Uint8Array): boolean {
    if (this.#length + entry.byteLength > this.#bytesMax && this.#length > 0) return false;
    this.putWhole(entry);
    return true;
  }

  /** Copies one entry behind what is there, whatever its size. */
  putWhole(entry: Uint8Array): void {
    const end = this.#length + entry.byteLength;
    if (end > this.#buffer.byteLength) {
      const larger = new Uint8Array(Math.max(end, this.#buffer.byteLength * 2));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(entry, this.#length);
    this.#length = end;
  }
}
