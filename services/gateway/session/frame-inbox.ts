import type { GatewayMetrics } from "../metrics.ts";
import { BYTES_PER_REQUEST } from "../rpc/work-price.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import { REFUSED_SECONDS_MAX } from "./rate-limits.ts";

/** Frames of all sessions that may wait together, in bytes. */
const ALL_BYTES_MAX = 64 * 1024 * 1024;
/** What holding a frame takes besides its bytes. */
const HOLDING_BYTES = 128;

/** What waits in the inboxes of all sessions. */
export class InboxSpace {
  readonly #bytesMax: number;
  readonly #metrics: Pick<GatewayMetrics, "inboxBytes" | "inboxOverflows">;
  #bytes = 0;

  constructor(
    metrics: Pick<GatewayMetrics, "inboxBytes" | "inboxOverflows">,
    bytesMax: number = ALL_BYTES_MAX,
  ) {
    this.#metrics = metrics;
    this.#bytesMax = bytesMax;
  }

  /** Whether so much more may wait; if so, it is counted. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) {
      this.#metrics.inboxOverflows.inc();
      return false;
    }
    this.#bytes += bytes;
    this.#metrics.inboxBytes.set(this.#bytes);
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#metrics.inboxBytes.set(this.#bytes);
  }
}

type FrameInboxParts = {
  readonly space: InboxSpace;
  /** Of the frames alone: what they ask for has its own. */
  readonly line: TurnLine;
  readonly limits: { readonly requestsPerSecondMax: number };
  /** Reads a frame and does what it asks for. */
  readonly read: (frame: Uint8Array) => void;
};

/**
 * The frames of one session that are not read yet. A socket brings as many as it likes in one turn
 * of the event loop, and thousands of sockets do so together after a break: what the turn has no
 * time for is copied and read in a later one, in order. Who has more waiting than would be answered
 * at once, refused calls among that, is over its rate. Where all sessions together have more
 * waiting than there is space for, frames are read as they come, so that memory is bounded and
 * clients feel it.
 */
export class FrameInbox {
  readonly #parts: FrameInboxParts;
  #frames: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;
  #closed = false;

  constructor(parts: FrameInboxParts) {
    this.#parts = parts;
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.#frames.length - this.#head;
  }

  /** Reads the frame now or later. False, and nothing is done, if too much of the session waits. */
  receive(frame: Uint8Array): boolean {
    const { line, limits, read, space } = this.#parts;
    if (this.waiting === 0 && line.doNow(read, frame)) return true;
    const bytes = frame.byteLength + HOLDING_BYTES;
    const { requestsPerSecondMax } = limits;
    if (this.waiting >= requestsPerSecondMax * REFUSED_SECONDS_MAX) return false;
    if (this.#bytes + bytes > requestsPerSecondMax * BYTES_PER_REQUEST && this.waiting > 0) {
      return false;
    }
    if (!space.take(bytes)) {
      this.#readAllNow();
      if (!this.#closed) read(frame);
      return true;
    }
    // What the transport gave is valid during its call alone.
    this.#frames.push(frame.slice());
    this.#bytes += bytes;
    if (this.waiting === 1) line.add(this.#readInTurns());
    return true;
  }

  /** Nothing of what waits is read any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#parts.line.clear();
    this.#parts.space.giveBack(this.#bytes);
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  *#readInTurns(): Work {
    while (this.waiting > 0) {
      if (this.#parts.line.isOver) yield;
      this.#readNext();
    }
  }

  #readAllNow(): void {
    while (this.waiting > 0) this.#readNext();
  }

  #readNext(): void {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return;
    this.#head += 1;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    }
    this.#bytes -= frame.byteLength + HOLDING_BYTES;
    this.#parts.space.giveBack(frame.byteLength + HOLDING_BYTES);
    this.#parts.read(frame);
  }
}
