import { BoundedQueue } from "#core/bounded-queue.ts";
import { BusError } from "./bus.ts";

/** Memory that a message takes beyond its payload and subject, roughly. */
const MESSAGE_OVERHEAD_BYTES = 128;

/**
 * Bytes after which the far end is asked to confirm: what is unconfirmed is known to within this.
 */
const CONFIRM_BYTES = 1_048_576;

/** At 128 bytes a message this is 1 GiB: the byte limit comes first. */
const MESSAGES_MAX = 8_388_608;

/** What one publish counts for against the byte limits of this file. */
export function publishedBytes(subject: string, payload: Uint8Array): number {
  return payload.length + subject.length + MESSAGE_OVERHEAD_BYTES;
}

/**
 * What is published while there is no connection, in order. At the limit the newest is refused with
 * BusError (`publish-buffer-full`), so that what is kept has no holes.
 */
export class ReconnectBuffer {
  readonly #bytesMax: number;
  readonly #messages = new BoundedQueue<{ subject: string; payload: Uint8Array }>({
    capacity: MESSAGES_MAX,
  });
  #bytes = 0;

  constructor(options: { readonly bytesMax: number }) {
    this.#bytesMax = options.bytesMax;
  }

  push(subject: string, payload: Uint8Array): void {
    const bytes = publishedBytes(subject, payload);
    if (this.#bytes + bytes > this.#bytesMax || !this.#messages.push({ subject, payload })) {
      throw new BusError(
        "publish-buffer-full",
        `${this.#bytes} bytes wait for a connection, reconnectBufferBytesMax is ${this.#bytesMax}`,
      );
    }
    this.#bytes += bytes;
  }

  /** Empties the buffer into `send`. */
  drain(send: (subject: string, payload: Uint8Array) => void): void {
    for (let next = this.#messages.shift(); next !== undefined; next = this.#messages.shift()) {
      send(next.subject, next.payload);
    }
    this.#bytes = 0;
  }

  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
  }
}

/**
 * Bounds what has been written and not been confirmed by the far end, which the socket would
 * otherwise hold in memory without limit while a server stands still.
 */
export class ConfirmationWindow {
  readonly #bytesMax: number;
  readonly #confirm: () => Promise<void>;
  #sent = 0;
  #confirmed = 0;
  #asked = 0;
  #generation = 0;

  /** `confirm` resolves when everything written before it has reached the far end. */
  constructor(options: { readonly bytesMax: number; readonly confirm: () => Promise<void> }) {
    this.#bytesMax = options.bytesMax;
    this.#confirm = options.confirm;
  }

  /** Throws BusError (`publish-buffer-full`) if these bytes do not fit. */
  check(bytes: number): void {
    const unconfirmed = this.#sent - this.#confirmed;
    if (unconfirmed + bytes <= this.#bytesMax) return;
    throw new BusError(
      "publish-buffer-full",
      `${unconfirmed} bytes wait for the server, unconfirmedBytesMax is ${this.#bytesMax}`,
    );
  }

  /** Counts bytes that were written. */
  add(bytes: number): void {
    this.#sent += bytes;
    if (this.#sent - this.#asked >= Math.min(CONFIRM_BYTES, this.#bytesMax / 4)) this.#ask();
  }

  /** Starts counting anew, for a new connection that has been given nothing yet. */
  reset(): void {
    this.#generation++;
    this.#sent = 0;
    this.#confirmed = 0;
    this.#asked = 0;
  }

  #ask(): void {
    const generation = this.#generation;
    const upTo = this.#sent;
    this.#asked = upTo;
    this.#confirm().then(
      () => {
        if (generation === this.#generation) this.#confirmed = Math.max(this.#confirmed, upTo);
      },
      () => {
        // The connection broke: reset() follows.
      },
    );
  }
}
