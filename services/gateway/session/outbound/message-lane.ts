import { assert } from "#core/assert.ts";
import type { FrameBuffer } from "./frame-buffer.ts";

/**
 * Messages that wait for their frame, oldest first. Each entry is whole elements of
 * ServerFrame.messages; the lane owns its bytes.
 */
class MessageLane {
  readonly #entries: Uint8Array[] = [];
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
    this.#entries.push(entry);
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
    for (const entry of this.#entries.splice(0, count)) this.#bytes -= entry.byteLength;
    assert(this.#entries.length > 0 || this.#bytes === 0, "an empty lane owes no bytes");
  }
}

/** Every lane in which nothing waits: a session has several, and most are idle. */
export const EMPTY_LANE = new MessageLane();

/** The lane with one more entry. */
export function laneWith(lane: MessageLane, entry: Uint8Array): MessageLane {
  const own = lane === EMPTY_LANE ? new MessageLane() : lane;
  own.push(entry);
  return own;
}

/** The lane without its oldest entries, because their frame was taken by the transport. */
export function laneWithout(lane: MessageLane, count: number): MessageLane {
  if (count > 0) lane.consume(count);
  return lane.length === 0 ? EMPTY_LANE : lane;
}
