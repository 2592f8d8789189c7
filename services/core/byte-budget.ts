import { assert } from "./assert.ts";

/** Memory that several owners share. Each takes from it and gives back what it took. */
export class ByteBudget {
  readonly bytesMax: number;
  #bytes = 0;

  constructor(options: { readonly bytesMax: number }) {
    this.bytesMax = options.bytesMax;
  }

  /** Bytes that are taken now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes memory; false, and nothing is taken, if there is not enough left. */
  take(bytes: number): boolean {
    assert(bytes >= 0, "memory is taken, or none");
    if (this.#bytes + bytes > this.bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Takes memory back that was taken. */
  giveBack(bytes: number): void {
    assert(bytes <= this.#bytes, "no more memory is given back than was taken");
    this.#bytes -= bytes;
  }
}
