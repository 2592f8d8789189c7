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
    const end = this.#length + entry.byteLength;
    if (end > this.#bytesMax && this.#length > 0) return false;
    if (end > this.#buffer.byteLength) {
      const larger = new Uint8Array(Math.max(end, this.#buffer.byteLength * 2));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(entry, this.#length);
    this.#length = end;
    return true;
  }
}
