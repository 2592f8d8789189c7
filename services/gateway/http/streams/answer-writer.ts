import type { Scheduler } from "../../turns/scheduler.ts";
import { SendResult } from "../../transport/transport.ts";
import type { HttpStreamHandler, HttpWriter } from "../../transport/transport.ts";
import type { SessionWriter, SessionWriterListener } from "./session-writer.ts";

/** What the transport is given at a time: it refuses what is larger than its buffer. */
const PIECE_BYTES = 64 * 1024;

type AnswerWriterParts = {
  readonly writer: HttpWriter;
  readonly scheduler: Scheduler;
  readonly listener: SessionWriterListener;
};

/** Writes a session into one streamed answer. What has left the process counts as delivered. */
export class AnswerWriter implements SessionWriter, HttpStreamHandler {
  readonly #parts: AnswerWriterParts;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #callbacks: (() => void)[] = [];
  #isEnding = false;
  #isClosed = false;

  constructor(parts: AnswerWriterParts) {
    this.#parts = parts;
  }

  write(chunk: Uint8Array): SendResult {
    if (this.#isEnding || this.#isClosed) return SendResult.Dropped;
    for (let from = 0; from < chunk.byteLength; from += PIECE_BYTES) {
      this.#pieces.push(chunk.subarray(from, from + PIECE_BYTES));
    }
    this.#pieceBytes += chunk.byteLength;
    this.#give();
    return this.bufferedBytes() === 0 ? SendResult.Sent : SendResult.Buffered;
  }

  bufferedBytes(): number {
    return this.#isClosed ? 0 : this.#pieceBytes + this.#parts.writer.bufferedBytes();
  }

  whenDelivered(callback: () => void): void {
    this.#callbacks.push(callback);
    if (this.bufferedBytes() === 0) this.#parts.scheduler.endOfTurn(() => this.#tellDelivered());
  }

  end(): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    if (this.#pieces.length === 0) this.#parts.writer.end();
  }

  abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.writer.abort();
  }

  onDrain(): void {
    if (this.#isClosed) return;
    this.#give();
    if (this.bufferedBytes() > 0) return;
    if (this.#isEnding) {
      this.#parts.writer.end();
      return;
    }
    this.#tellDelivered();
    this.#parts.listener.onDrain();
  }

  onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pieces = [];
    if (!this.#isEnding) this.#parts.listener.onGone();
  }

  /** Gives pieces to the transport as long as they leave the process. */
  #give(): void {
    const { writer } = this.#parts;
    while (this.#pieces.length > 0 && writer.bufferedBytes() === 0) {
      const piece = this.#pieces.shift() as Uint8Array;
      this.#pieceBytes -= piece.byteLength;
      if (writer.write(piece) === SendResult.Dropped) {
        // The client has gone, which the transport is about to tell.
        this.#pieces = [];
        this.#pieceBytes = 0;
      }
    }
  }

  #tellDelivered(): void {
    if (this.#isClosed || this.bufferedBytes() > 0) return;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}
