import type { RpcError } from "../errors.ts";

/**
 * Responses of one streaming call, bounded by credits: the gateway may send as many as it was
 * granted, and half of them are granted anew when half were read.
 */
export class ResponseQueue {
  readonly #creditsMax: number;
  readonly #grant: (credits: number) => void;
  readonly #queue: Uint8Array[] = [];
  #readSinceGrant = 0;
  #ended = false;
  #error: RpcError | undefined;
  #wake: () => void = () => undefined;

  constructor(creditsMax: number, grant: (credits: number) => void) {
    this.#creditsMax = creditsMax;
    this.#grant = grant;
  }

  /** False if the gateway sent more than it had credits for. */
  push(bytes: Uint8Array): boolean {
    if (this.#ended) return true;
    if (this.#queue.length + this.#readSinceGrant >= this.#creditsMax) return false;
    this.#queue.push(bytes);
    this.#wake();
    return true;
  }

  end(error: RpcError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  /** For one reader. Undefined after the last response; rejects with the error of the call. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#queue.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const bytes = this.#queue.shift();
    if (bytes === undefined) {
      if (this.#error !== undefined) throw this.#error;
      return undefined;
    }
    this.#readSinceGrant += 1;
    if (this.#readSinceGrant >= this.#creditsMax / 2 && !this.#ended) {
      const credits = this.#readSinceGrant;
      this.#readSinceGrant = 0;
      this.#grant(credits);
    }
    return bytes;
  }
}
