import type { ClientRequest } from "#wire/frame-codec.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { BYTES_PER_REQUEST } from "../rpc/work-price.ts";
import type { Turns } from "../turns/turns.ts";
import { REFUSED_SECONDS_MAX } from "./rate-limits.ts";

/** Frames of all sessions that may wait together, in bytes. */
const ALL_BYTES_MAX = 64 * 1024 * 1024;
/** What holding a frame takes besides its bytes. */
const HOLDING_BYTES = 128;

/**
 * Frames are copied into chunks of this size, because a buffer of its own costs each frame more
 * than copying it, and brings the collector of garbage. So a frame that waits keeps that much at
 * most besides itself.
 */
const CHUNK_BYTES = 16 * 1024;
/** A larger frame has a buffer of its own. */
const SHARED_BYTES_MAX = CHUNK_BYTES / 4;

/** What waits in the inboxes of all sessions. */
export class InboxSpace {
  readonly #bytesMax: number;
  readonly #metrics: Pick<GatewayMetrics, "inboxBytes" | "inboxOverflows">;
  #bytes = 0;
  #chunk: Uint8Array | undefined;
  #chunkUsed = 0;

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
    // Nothing waits, so nothing is to be kept for it.
    if (this.#bytes === 0) this.#chunk = undefined;
  }

  /** A copy of the frame, which lives as long as it is kept. */
  copy(frame: Uint8Array): Uint8Array {
    const bytes = frame.byteLength;
    if (bytes > SHARED_BYTES_MAX) return frame.slice();
    if (this.#chunk === undefined || this.#chunkUsed + bytes > CHUNK_BYTES) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#chunkUsed = 0;
    }
    const start = this.#chunkUsed;
    this.#chunkUsed += bytes;
    this.#chunk.set(frame, start);
    return this.#chunk.subarray(start, this.#chunkUsed);
  }
}

/** What the inboxes of all sessions share. */
type FrameInboxParts = {
  readonly inboxSpace: InboxSpace;
  readonly turns: Turns;
  readonly config: { readonly requestsPerSecondMax: number };
};

/** Whose frames they are. */
export type FrameReader = {
  /** Owned by this file; undefined while no frame waits, as it is for nearly all of the time. */
  inbox: FrameInbox | undefined;
  /** Reads a frame and does what it asks for; `keepRest` takes what is more than a step. */
  readFrame(frame: Uint8Array): void;
  /** Does a step of what a frame asks for. Returns the place of what comes next. */
  serve(requests: readonly ClientRequest[], from: number): number;
};

const readNow = (reader: FrameReader, frame: Uint8Array): void => reader.readFrame(frame);
const readOne = (inbox: FrameInbox): void => inbox.readOne();

/** Reads the frame now or later. False, and nothing is done, if too much of the session waits. */
export function receiveFrame(
  parts: FrameInboxParts,
  reader: FrameReader,
  frame: Uint8Array,
): boolean {
  if (reader.inbox === undefined && parts.turns.doNow(readNow, reader, frame)) return true;
  reader.inbox ??= new FrameInbox(parts, reader);
  return reader.inbox.add(frame);
}

/** Does what a frame of so many bytes asks for besides, in the turns that have time for it. */
export function keepRest(
  parts: FrameInboxParts,
  reader: FrameReader,
  rest: { readonly requests: readonly ClientRequest[]; readonly from: number },
  frameBytes: number,
): void {
  reader.inbox ??= new FrameInbox(parts, reader);
  reader.inbox.keep(rest.requests, rest.from, frameBytes);
}

/**
 * The frames of one session that are not read yet, and what is left to do of the one before. A
 * socket brings as many as it likes in one turn of the event loop, and thousands of sockets do so
 * together after a break: what the turn has no time for is copied and read in a later one, in
 * order, and one of each session in rotation. Who has more waiting than would be answered at once,
 * refused calls among that, is over its rate. Where all sessions together have more waiting than
 * there is space for, frames are read as they come, so that memory is bounded and clients feel it.
 */
export class FrameInbox {
  readonly #parts: FrameInboxParts;
  readonly #reader: FrameReader;
  #frames: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;
  /** What the last frame asked for and is not done; `#restFrom` is the place of the next. */
  #rest: readonly ClientRequest[] | undefined;
  #restFrom = 0;
  #restBytes = 0;
  #closed = false;
  /** It has a place among what is to be done later. */
  #isQueued = false;

  constructor(parts: FrameInboxParts, reader: FrameReader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.#frames.length - this.#head;
  }

  /** One more is to be read. False, and nothing is done, if too much waits. */
  add(frame: Uint8Array): boolean {
    const { config, inboxSpace } = this.#parts;
    const bytes = frame.byteLength + HOLDING_BYTES;
    const { requestsPerSecondMax } = config;
    if (this.waiting >= requestsPerSecondMax * REFUSED_SECONDS_MAX) return false;
    if (this.#bytes + bytes > requestsPerSecondMax * BYTES_PER_REQUEST && this.waiting > 0) {
      return false;
    }
    if (!inboxSpace.take(bytes)) {
      this.#readAllNow();
      if (!this.#closed) this.#reader.readFrame(frame);
      this.#leave();
      return true;
    }
    // What the transport gave is valid during its call alone.
    this.#frames.push(inboxSpace.copy(frame));
    this.#bytes += bytes;
    if (this.waiting === 1) this.#readLater();
    return true;
  }

  /** For `keepRest`: what comes before all frames that wait. */
  keep(requests: readonly ClientRequest[], from: number, frameBytes: number): void {
    this.#rest = requests;
    this.#restFrom = from;
    const bytes = frameBytes + HOLDING_BYTES;
    if (this.#parts.inboxSpace.take(bytes)) {
      this.#restBytes = bytes;
      this.#readLater();
      return;
    }
    while (this.#rest !== undefined) this.#serveRest();
    if (this.waiting === 0) this.#leave();
  }

  /** For its turn: does the next step, and takes a place at the end if more waits. */
  readOne(): void {
    this.#isQueued = false;
    if (this.#closed) return;
    this.#readNext();
    if (this.#rest !== undefined || this.waiting > 0) this.#readLater();
    else this.#leave();
  }

  /** Nothing of what waits is read any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#parts.inboxSpace.giveBack(this.#bytes);
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#dropRest();
    this.#leave();
  }

  #leave(): void {
    if (this.#reader.inbox === this) this.#reader.inbox = undefined;
  }

  #readLater(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    this.#parts.turns.doLater(readOne, this, undefined);
  }

  #readAllNow(): void {
    while (this.#rest !== undefined || this.waiting > 0) this.#readNext();
  }

  #serveRest(): void {
    const requests = this.#rest;
    if (requests === undefined) return;
    const next = this.#reader.serve(requests, this.#restFrom);
    this.#restFrom = next;
    if (next >= requests.length) this.#dropRest();
  }

  #dropRest(): void {
    this.#rest = undefined;
    if (this.#restBytes > 0) this.#parts.inboxSpace.giveBack(this.#restBytes);
    this.#restBytes = 0;
  }

  #readNext(): void {
    if (this.#rest !== undefined) {
      this.#serveRest();
      return;
    }
    const frame = this.#frames[this.#head];
    if (frame === undefined) return;
    this.#head += 1;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    }
    this.#bytes -= frame.byteLength + HOLDING_BYTES;
    this.#parts.inboxSpace.giveBack(frame.byteLength + HOLDING_BYTES);
    this.#reader.readFrame(frame);
  }
}
