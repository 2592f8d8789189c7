import { Buffer } from "node:buffer";
import type { Counter } from "prom-client";

/** What is kept of all topics together, in bytes of batches and characters of their events. */
const TOLD_SIZE_MAX = 16 * 1024 * 1024;

/** Where a batch stands: in its view of its topic, nothing else is there. */
type ToldPlace = {
  readonly topicId: number;
  /** Which view of the topic; each makes batches of its own. */
  readonly view: string;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  readonly skipped: number;
  readonly snapshot: boolean;
};

type Told = { readonly bytes: Uint8Array; readonly events: string };

/**
 * The events of batches as JSON, so that sessions with the same view of a topic share what one of
 * them has made. What is kept longest goes when there is too much: whoever comes so late makes it
 * anew. A text is shared only for the very bytes that it was made of, because what a client gets
 * first has another form than what goes on.
 */
export class ToldBatches {
  readonly #counter: Pick<Counter<"outcome">, "inc">;
  readonly #sizeMax: number;
  readonly #told = new Map<string, Told>();
  #size = 0;

  constructor(counter: Pick<Counter<"outcome">, "inc">, sizeMax: number = TOLD_SIZE_MAX) {
    this.#counter = counter;
    this.#sizeMax = sizeMax;
  }

  /** Bytes and characters that are kept. */
  get size(): number {
    return this.#size;
  }

  /** The events of the batch, if somebody has told them. */
  find(place: ToldPlace, bytes: Uint8Array): string | undefined {
    const told = this.#told.get(keyOf(place));
    const isSame = told !== undefined && Buffer.compare(told.bytes, bytes) === 0;
    this.#counter.inc({ outcome: isSame ? "shared" : "made" });
    return isSame ? told.events : undefined;
  }

  /** The batch was told. Nothing keeps the bytes, which are copied. */
  keep(place: ToldPlace, bytes: Uint8Array, events: string): void {
    const key = keyOf(place);
    this.#forget(key);
    this.#told.set(key, { bytes: bytes.slice(), events });
    this.#size += bytes.byteLength + events.length;
    for (const oldest of this.#told.keys()) {
      if (this.#size <= this.#sizeMax) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const told = this.#told.get(key);
    if (told === undefined) return;
    this.#told.delete(key);
    this.#size -= told.bytes.byteLength + told.events.length;
  }
}

function keyOf({ topicId, view, epoch, firstSequence, count, skipped, snapshot }: ToldPlace) {
  return `${topicId} ${view} ${epoch} ${firstSequence} ${count} ${skipped} ${snapshot}`;
}
