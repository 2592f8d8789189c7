/** How the value of a protobuf field is written. */
export const ProtobufKind = {
  /** A whole number of up to 64 bits. */
  Varint: 0,
  /** Eight bytes. */
  Fixed64: 1,
  /** Bytes with their length in front: a text, or a message in the message. */
  Bytes: 2,
  /** Four bytes. */
  Fixed32: 5,
} as const;

/** A varint has seven bits in each byte, so ten bytes hold 64 bits. */
const VARINT_BYTES_MAX = 10;
const FIELD_NUMBER_MAX = 2 ** 29 - 1;

/** The bits of a number up to this byte of a varint are exact in a double. */
const EXACT_VARINT_BYTES = 7;

const decoder = new TextDecoder();

/**
 * Walks the fields of one protobuf message in a frame, without a schema and without making
 * anything. A reader may be used again for the next message. Never throws: a message that is cut
 * off, or holds what no message may, ends early and `isDamaged` says so.
 */
export class ProtobufFields {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #isDamaged = false;
  /** Number of the field that `next` went to. */
  field = 0;
  kind: number = ProtobufKind.Varint;
  /** Where the value begins and ends. */
  start = 0;
  end = 0;
  #number = 0;

  /** Begins with a message that stands between two places of a frame. */
  open(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#isDamaged = false;
  }

  /** True once something was met that no protobuf message may hold. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Goes to the next field; false behind the last, or where the message is damaged. */
  next(): boolean {
    if (this.#isDamaged || this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.kind = tag % 8;
    if (!(this.field >= 1 && this.field <= FIELD_NUMBER_MAX)) return this.#damaged();
    this.start = this.#at;
    if (!this.#skip() || this.#isDamaged || this.#at > this.#end) return this.#damaged();
    this.end = this.#at;
    return true;
  }

  /** The value of a varint; NaN if it is none, or no whole number that a double holds exactly. */
  get number(): number {
    return this.kind === ProtobufKind.Varint ? this.#number : Number.NaN;
  }

  /** The value as text; undefined if it has no length, and so is none. */
  get text(): string | undefined {
    if (this.kind !== ProtobufKind.Bytes) return undefined;
    const bytes = this.#bytes;
    let text = "";
    for (let at = this.start; at < this.end; at += 1) {
      const code = bytes[at]!;
      // Names outside of ASCII are rare, decimals never are.
      if (code >= 0x80) return decoder.decode(bytes.subarray(this.start, this.end));
      text += String.fromCharCode(code);
    }
    return text;
  }

  /** Moves behind the value; `start` moves to what a length stands before. */
  #skip(): boolean {
    switch (this.kind) {
      case ProtobufKind.Varint:
        this.#number = this.#varint();
        return true;
      case ProtobufKind.Fixed64:
        this.#at += 8;
        return true;
      case ProtobufKind.Bytes: {
        const length = this.#varint();
        if (!(length <= this.#end - this.#at)) return false;
        this.start = this.#at;
        this.#at += length;
        return true;
      }
      case ProtobufKind.Fixed32:
        this.#at += 4;
        return true;
      default:
        // Groups, which no message of today has.
        return false;
    }
  }

  /** NaN for what a double does not hold exactly, which negative numbers are too. */
  #varint(): number {
    let value = 0;
    let weight = 1;
    for (let count = 1; count <= VARINT_BYTES_MAX; count += 1) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at++]!;
      if (count <= EXACT_VARINT_BYTES || (byte & 0x7f) === 0) value += (byte & 0x7f) * weight;
      else value = count === EXACT_VARINT_BYTES + 1 ? value + (byte & 0x7f) * weight : Number.NaN;
      weight *= 128;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN;
    }
    this.#damaged();
    return Number.NaN;
  }

  #damaged(): false {
    this.#isDamaged = true;
    return false;
  }
}
