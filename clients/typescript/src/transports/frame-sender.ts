import type { ClientClock } from "../host/environment.ts";

/** What is posted at a time; more waits for the next request. */
const POST_BYTES_MAX = 64 * 1024;
/** A request that fails is sent again after these times, and then the connection is given up. */
const RETRY_MS = [200, 500, 1_000, 2_000];

type FrameSenderParts = {
  readonly clock: ClientClock;
  /** Posts bytes under a number; the status of the answer. Rejects if there is none. */
  readonly post: (number: number, body: Uint8Array<ArrayBuffer>) => Promise<number>;
  readonly onFailed: (reason: string) => void;
};

/**
 * Sends frames by requests, one after the other. What is sent while one is under way leaves with
 * the next, because frames of a client one behind the other are one frame. Requests are numbered,
 * so that one whose answer was lost may be sent again.
 */
export class FrameSender {
  readonly #parts: FrameSenderParts;
  #frames: Uint8Array<ArrayBuffer>[] = [];
  /** The first frame went with the request that made the session. */
  #number = 1;
  #isBusy = false;
  #isClosed = false;
  #cancelRetry: () => void = () => undefined;

  constructor(parts: FrameSenderParts) {
    this.#parts = parts;
  }

  /** The number of the request that would come next. */
  get nextNumber(): number {
    return this.#number + 1;
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    this.#frames.push(frame);
    this.#sendNext();
  }

  /** Nothing more is sent. What was sent and has not left is handed back. Idempotent. */
  close(): Uint8Array<ArrayBuffer> {
    this.#isClosed = true;
    this.#cancelRetry();
    return this.#take();
  }

  #sendNext(): void {
    if (this.#isBusy || this.#isClosed || this.#frames.length === 0) return;
    this.#isBusy = true;
    this.#number += 1;
    this.#post(this.#take(), 0);
  }

  #post(body: Uint8Array<ArrayBuffer>, failures: number): void {
    // Both outcomes are handled here.
    void this.#parts.post(this.#number, body).then(
      (status) => this.#onStatus(status, body, failures),
      () => this.#onStatus(0, body, failures),
    );
  }

  #onStatus(status: number, body: Uint8Array<ArrayBuffer>, failures: number): void {
    if (this.#isClosed) return;
    if (status === 204) {
      this.#isBusy = false;
      this.#sendNext();
      return;
    }
    const delayMs = RETRY_MS[failures];
    const isFinal = status >= 400 && status < 500 && status !== 429 && status !== 408;
    if (isFinal || delayMs === undefined) {
      this.#parts.onFailed(status === 404 ? "the gateway has forgotten the session" : "");
      return;
    }
    this.#cancelRetry = this.#parts.clock.after(delayMs, () => this.#post(body, failures + 1));
  }

  #take(): Uint8Array<ArrayBuffer> {
    let count = 0;
    let length = 0;
    for (const frame of this.#frames) {
      if (count > 0 && length + frame.length > POST_BYTES_MAX) break;
      count += 1;
      length += frame.length;
    }
    const body = new Uint8Array(length);
    let at = 0;
    for (const frame of this.#frames.splice(0, count)) {
      body.set(frame, at);
      at += frame.length;
    }
    return body;
  }
}
