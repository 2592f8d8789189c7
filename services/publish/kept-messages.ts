import { ChainMessages } from "@tickwire/proto/codec";
import { assert } from "#core/assert.ts";
import type { PackedBatch } from "#core/packed-batches.ts";

/** A core that lies in a page, where nothing moves it. */
type Core = { readonly bytes: Uint8Array; readonly start: number; readonly end: number };

/**
 * The messages of batches that are read in order, each of them whole or a core that goes on from
 * the one before it. Nothing is computed before the first core is wanted.
 */
export class KeptMessages {
  /** The last one that was whole, and the cores behind it. */
  #whole: Uint8Array | undefined;
  #cores: Core[] = [];
  /** Stands behind all of them once a core was wanted. */
  #chain: ChainMessages | undefined;

  /** Goes past a batch. */
  pass(batch: PackedBatch): void {
    if (isCore(batch)) this.#cores.push(coreOf(batch));
    else this.take(batch);
  }

  /** The message of the next batch, which nobody else has. */
  take(batch: PackedBatch): Uint8Array {
    if (isCore(batch)) return this.#next(coreOf(batch));
    const { firstBytes, firstStart, firstLength } = batch;
    const { secondBytes, secondStart, secondLength } = batch;
    const message = new Uint8Array(firstLength + secondLength);
    message.set(firstBytes.subarray(firstStart, firstStart + firstLength));
    message.set(secondBytes.subarray(secondStart, secondStart + secondLength), firstLength);
    this.#whole = message;
    this.#cores = [];
    this.#chain = undefined;
    return message;
  }

  #next(core: Core): Uint8Array {
    const whole = this.#whole;
    assert(whole !== undefined, "the first batch of a page is whole");
    if (this.#chain === undefined) {
      this.#chain = new ChainMessages();
      this.#chain.begin(whole);
    }
    for (const { bytes, start, end } of this.#cores) this.#chain.next(bytes, start, end);
    this.#cores = [];
    return this.#chain.next(core.bytes, core.start, core.end);
  }
}

function isCore({ firstLength, secondLength }: PackedBatch): boolean {
  return firstLength === 0 && secondLength > 0;
}

function coreOf({ secondBytes, secondStart, secondLength }: PackedBatch): Core {
  return { bytes: secondBytes, start: secondStart, end: secondStart + secondLength };
}
