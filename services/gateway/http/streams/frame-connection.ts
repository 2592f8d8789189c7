import { encodeEnvelope } from "../envelope.ts";
import { SendResult } from "../../transport/transport.ts";
import type { Connection, ConnectionHandler } from "../../transport/transport.ts";
import type { SessionWriter, SessionWriterListener } from "./session-writer.ts";

/** A frame of nothing: a sign of life. */
export const EMPTY_FRAME = encodeEnvelope(new Uint8Array(), "plain");

/** What became of a frame that a client posted. */
type Posted = "taken" | "known" | "out-of-order";

/**
 * The connection of a session whose client speaks the binary protocol over HTTP: its frames come in
 * requests of their own, and what the session sends leaves in envelopes as it is.
 */
export class FrameConnection implements Connection, SessionWriterListener {
  readonly id: number;
  readonly remoteAddress: string;
  readonly compressionNegotiated = false;
  readonly #bufferedBytesMax: number;
  #writer: SessionWriter | undefined;
  #handler: ConnectionHandler | undefined;
  #posted = 0;
  #isOpen = true;
  /** Something was written since it was asked last. */
  #wrote = false;

  constructor(options: Pick<Connection, "id" | "remoteAddress"> & { bufferedBytesMax: number }) {
    this.id = options.id;
    this.remoteAddress = options.remoteAddress;
    this.#bufferedBytesMax = options.bufferedBytesMax;
  }

  /** Begins the session that `accept` makes of this connection. */
  open(writer: SessionWriter, accept: (connection: Connection) => ConnectionHandler): void {
    this.#writer = writer;
    this.#handler = accept(this);
  }

  /**
   * Takes what the client sends. Requests are numbered from 1: one that comes again, because its
   * answer was lost, changes nothing.
   */
  post(number: number, frame: Uint8Array): Posted {
    if (number <= this.#posted) return "known";
    if (number !== this.#posted + 1) return "out-of-order";
    this.#posted = number;
    if (frame.byteLength > 0) this.#handler?.onMessage(frame, true);
    return "taken";
  }

  /** Whether nothing was written since this was asked last. */
  takeSilence(): boolean {
    const wasSilent = !this.#wrote;
    this.#wrote = false;
    return wasSilent;
  }

  send(frame: Uint8Array): SendResult {
    if (!this.#isOpen || this.#writer === undefined) return SendResult.Dropped;
    if (this.bufferedBytes() + frame.byteLength > this.#bufferedBytesMax) return SendResult.Dropped;
    this.#wrote = true;
    return this.#writer.write(encodeEnvelope(frame, "plain"));
  }

  /** Clients over HTTP answer probes. */
  ping(): boolean {
    return false;
  }

  together(write: () => void): void {
    write();
  }

  bufferedBytes(): number {
    return this.#writer?.bufferedBytes() ?? 0;
  }

  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#writer?.write(encodeEnvelope(JSON.stringify({ code, reason }), "end"));
    this.#writer?.end();
    this.#gone(code, reason);
  }

  terminate(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#writer?.abort();
    this.#gone(1006, "");
  }

  /** The client closes. */
  leave(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#writer?.abort();
    this.#gone(code, "");
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  onGone(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#gone(1006, "");
  }

  #gone(code: number, reason: string): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onClose(code, reason);
  }
}
