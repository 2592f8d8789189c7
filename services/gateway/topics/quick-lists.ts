import type { Connection } from "../transport/transport.ts";

/**
 * What may be sent from lists without their owners being asked, by list: an owner to which nothing
 * but plain batches is under way says in advance how much it would let pass, and until when. So a
 * list that many have in common costs a session nothing but the write.
 *
 * What holds, and what enforces it:
 * 1. Nothing passes that was not allowed: whoever sends asks `wayOf` and `allows` for each frame.
 * 2. What has passed is counted until the owner takes it over: `passed` adds, `end` hands over.
 */
export class QuickLists {
  readonly #connections: (Pick<Connection, "send"> | undefined)[] = [];
  /** Bytes that may still pass. */
  #bytes: Float64Array;
  #frameBytes: Float64Array;
  /** On the monotonic clock; 0 is never. */
  #untilUs: Float64Array;
  /** Bytes that have passed since it was allowed. */
  #passed: Float64Array;

  constructor(lists: number) {
    this.#bytes = new Float64Array(lists);
    this.#frameBytes = new Float64Array(lists);
    this.#untilUs = new Float64Array(lists);
    this.#passed = new Float64Array(lists);
  }

  /** Fewer than `bytes` may pass to the connection, in frames of at most `frameBytes`. */
  allow(
    list: number,
    connection: Pick<Connection, "send">,
    bound: { readonly bytes: number; readonly frameBytes: number; readonly untilUs: number },
  ): void {
    this.#connections[list] = connection;
    this.#bytes[list] = bound.bytes;
    this.#frameBytes[list] = bound.frameBytes;
    this.#untilUs[list] = bound.untilUs;
  }

  /** Where frames of the list may pass now; undefined if nothing may. */
  wayOf(list: number, nowUs: number): Pick<Connection, "send"> | undefined {
    return nowUs < (this.#untilUs[list] as number) ? this.#connections[list] : undefined;
  }

  /** Whether a frame of that size may pass where there is a way. */
  allows(list: number, bytes: number): boolean {
    return bytes < (this.#bytes[list] as number) && bytes <= (this.#frameBytes[list] as number);
  }

  /** A frame has passed. */
  passed(list: number, bytes: number): void {
    this.#bytes[list] = (this.#bytes[list] as number) - bytes;
    this.#passed[list] = (this.#passed[list] as number) + bytes;
  }

  /** Nothing may pass any more. Returns the bytes that have passed since the last time. */
  end(list: number): number {
    this.#untilUs[list] = 0;
    const bytes = this.#passed[list] as number;
    this.#passed[list] = 0;
    return bytes;
  }

  /** The list has no owner any more. */
  close(list: number): void {
    this.end(list);
    this.#connections[list] = undefined;
  }

  /** There are more lists. */
  grow(lists: number): void {
    this.#bytes = grown(this.#bytes, lists);
    this.#frameBytes = grown(this.#frameBytes, lists);
    this.#untilUs = grown(this.#untilUs, lists);
    this.#passed = grown(this.#passed, lists);
  }
}

function grown(table: Float64Array, length: number): Float64Array {
  const larger = new Float64Array(length);
  larger.set(table);
  return larger;
}
