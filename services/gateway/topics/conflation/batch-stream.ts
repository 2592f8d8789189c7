import { BatchReader, walkServerFrame, WireError } from "@tickwire/proto/codec";
import type { DecodedBatch, ServerFrameVisitor } from "@tickwire/proto/codec";
import type { SharedBatch } from "../shared-batch.ts";

/** Reads the batches of one topic one after the other, as a client does. */
export class BatchStream {
  readonly #reader = new BatchReader();
  /** The next batch cannot be read without its base. */
  #needsBase = true;
  #bytes: Uint8Array = new Uint8Array();
  #read: DecodedBatch[] = [];
  #isUnreadable = false;

  /** What a batch says: mostly one decoded batch. Undefined if it cannot be read. */
  read(batch: SharedBatch): readonly DecodedBatch[] | undefined {
    this.#bytes = this.#needsBase ? batch.based.bytes : batch.bytes;
    this.#read = [];
    this.#isUnreadable = false;
    try {
      walkServerFrame(this.#bytes, this.#visitor);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#isUnreadable = true;
    }
    this.#needsBase = batch.endsChain || !this.#reader.isChained;
    return this.#isUnreadable ? undefined : this.#read;
  }

  readonly #visitor: ServerFrameVisitor = {
    message: () => undefined,
    batch: (start, end) => {
      const reading = this.#reader.read(this.#bytes, start, end);
      if (reading.outcome === "read") this.#read.push(reading.batch);
      else this.#isUnreadable = true;
    },
  };
}
