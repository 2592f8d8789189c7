import { ByteWriter } from "../byte-writer.ts";

/** A writer whose bytes can be written four at a time: `view` is one of all of them. */
export class ColumnByteWriter extends ByteWriter {
  view = new DataView(this.bytes.buffer);
  #viewed = this.bytes;

  /** Makes `view` one of `bytes` again, which other methods may have replaced. */
  renewView(): void {
    const { bytes } = this;
    if (bytes === this.#viewed) return;
    this.#viewed = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
