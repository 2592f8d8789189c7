import type { Connection } from "../transport/transport.ts";

/** Numbers of a list, one after the other, so that they are fetched together. */
const At = {
  /** Bytes that may still pass. */
  Bytes: 0,
  FrameBytes: 1,
  /** On the monotonic clock; 0 is never. */
  UntilUs: 2,
  /** Bytes that have passed since it was allowed. */
  Passed: 3,
} as const;
const NUMBERS = 4;

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
  #rows: Float64Array;

  constructor(lists: number) {
    this.#rows = new Float64Array(lists * NUMBERS);
  }

  /** Fewer than `bytes` may pass to the connection, in frames of at most `frameBytes`. */
  allow(
    list: number,
    connection: Pick<Connection, "send">,
    bound: { readonly bytes: number; readonly frameBytes: number; readonly untilUs: number },
  ): void {
    this.#connections[list] = connection;
    const row = list * NUMBERS;
    this.#rows[row + At.Bytes] = bound.bytes;
    this.#rows[row + At.FrameBytes] = bound.frameBytes;
    this.#rows[row + At.UntilUs] = bound.untilUs;
  }

  /** Where frames of the list may pass now; undefined if nothing may. */
  wayOf(list: number, nowUs: number): Pick<Connection, "send"> | undefined {
    const untilUs = this.#rows[list * NUMBERS + At.UntilUs] as number;
    return nowUs < untilUs ? this.#connections[list] : undefined;
  }

  /** Whether a frame of that size may pass where there is a way. */
  allows(list: number, bytes: number): boolean {
    const row = list * NUMBERS;
    const isFew = bytes < (this.#rows[row + At.Bytes] as number);
    return isFew && bytes <= (this.#rows[row + At.FrameBytes] as number);
  }

  /** A frame has passed. */
  passed(list: number, bytes: number): void {
    const row = list * NUMBERS;
    const rows = this.#rows;
    rows[row + At.Bytes] = (rows[row + At.Bytes] as number) - bytes;
    rows[row + At.Passed] = (rows[row + At.Passed] as number) + bytes;
  }

  /** Nothing may pass any more. Returns the bytes that have passed since the last time. */
  end(list: number): number {
    const row = list * NUMBERS;
    this.#rows[row + At.UntilUs] = 0;
    const bytes = this.#rows[row + At.Passed] as number;
    this.#rows[row + At.Passed] = 0;
    return bytes;
  }

  /** The list has no owner any more. */
  close(list: number): void {
    this.end(list);
    this.#connections[list] = undefined;
  }

  /** There are more lists. */
  grow(lists: number): void {
    const rows = new Float64Array(lists * NUMBERS);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
