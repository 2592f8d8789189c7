import { Buffer } from "node:buffer";
import type { Admission } from "./admission.ts";
import type { RefusalLimit } from "./transport.ts";

type RequestBodyParts = {
  readonly admission: Admission;
  /** Whose bytes they are. */
  readonly remoteAddress: string;
  readonly requestBytesMax: number;
};

/** The body of one request while it comes: every byte that is kept is counted for its client. */
export class RequestBody {
  readonly #parts: RequestBodyParts;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(parts: RequestBodyParts) {
    this.#parts = parts;
  }

  /** Bytes that are kept now. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** Keeps a copy of a chunk. Returns the limit that keeps it out, if there is one. */
  add(chunk: Uint8Array): RefusalLimit | undefined {
    const { admission, remoteAddress, requestBytesMax } = this.#parts;
    const { byteLength } = chunk;
    if (this.#bytes + byteLength > requestBytesMax) return "requestBytesMax";
    const limit = admission.holdBody(remoteAddress, byteLength);
    if (limit !== undefined) return limit;
    this.#bytes += byteLength;
    if (byteLength > 0) this.#chunks.push(Buffer.from(chunk));
    return undefined;
  }

  /** What was added, which stays counted until `release`. */
  read(): Uint8Array {
    const [only] = this.#chunks;
    return only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
  }

  /** Lets go of the bytes. Idempotent. */
  release(): void {
    const { admission, remoteAddress } = this.#parts;
    this.#chunks.length = 0;
    admission.releaseBody(remoteAddress, this.#bytes);
    this.#bytes = 0;
  }
}
