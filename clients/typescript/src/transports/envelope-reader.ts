/** Flags and length. */
const HEAD_BYTES = 5;
const FLAG_END = 2;
/** What a gateway may send at once: a whole book of a large venue is a few MB. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

type EnvelopeHandlers = {
  /** The bytes are the handler's to keep. */
  frame(bytes: Uint8Array<ArrayBuffer>): void;
  end(code: number, reason: string): void;
};

/** Reads frames out of a body that comes in pieces of any size: proto/README.md, "Over HTTP". */
export class EnvelopeReader {
  readonly #handlers: EnvelopeHandlers;
  #rest = new Uint8Array(0);
  /** Of `#rest`; more may have room. */
  #length = 0;

  constructor(handlers: EnvelopeHandlers) {
    this.#handlers = handlers;
  }

  /** Throws an Error if what comes is none of a gateway's. */
  read(chunk: Uint8Array<ArrayBuffer>): void {
    this.#append(chunk);
    let at = 0;
    while (this.#length - at >= HEAD_BYTES) {
      const view = new DataView(this.#rest.buffer, at, HEAD_BYTES);
      const flags = view.getUint8(0);
      const length = view.getUint32(1);
      if ((flags !== 0 && flags !== FLAG_END) || length > FRAME_BYTES_MAX) {
        throw new Error("what comes is no stream of a gateway");
      }
      const end = at + HEAD_BYTES + length;
      if (end > this.#length) break;
      const bytes = this.#rest.slice(at + HEAD_BYTES, end);
      at = end;
      if (flags === FLAG_END) this.#end(bytes);
      else if (length > 0) this.#handlers.frame(bytes);
    }
    this.#rest.copyWithin(0, at, this.#length);
    this.#length -= at;
  }

  #end(bytes: Uint8Array): void {
    const { code, reason } = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly code?: unknown;
      readonly reason?: unknown;
    };
    this.#handlers.end(
      typeof code === "number" ? code : 1006,
      typeof reason === "string" ? reason : "",
    );
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#rest.length) {
      const larger = new Uint8Array(Math.max(length, this.#rest.length * 2));
      larger.set(this.#rest.subarray(0, this.#length));
      this.#rest = larger;
    }
    this.#rest.set(chunk, this.#length);
    this.#length = length;
  }
}
