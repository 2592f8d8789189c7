import { SendResult } from "#gateway/transport/transport.ts";
import type { Connection, ConnectionHandler } from "#gateway/transport/transport.ts";

/**
 * A connection whose kernel does what a test says. Like a transport, it calls `onClose` from within
 * `close` and `terminate`, once.
 */
export class FakeConnection implements Connection {
  readonly id = 1;
  readonly remoteAddress = "192.0.2.7";
  readonly compressionNegotiated = true;
  /** Frames that were taken, and whether they were to be compressed. */
  readonly sent: { readonly bytes: number[]; readonly compress: boolean }[] = [];
  /** What the gateway did to end the connection. */
  readonly ends: string[] = [];
  /** What was written together. */
  readonly pieces: { readonly frames: number; readonly pings: number }[] = [];
  /** Numbers of pings that were sent. */
  readonly pings: number[] = [];
  handler: ConnectionHandler | undefined;
  /** Bytes that the kernel has not taken. */
  buffered = 0;
  /** The kernel takes nothing. */
  stuck = false;
  /** Above this a frame is dropped. */
  bufferMax = Number.POSITIVE_INFINITY;
  #gone = false;

  send(frame: Uint8Array, compress: boolean): SendResult {
    if (this.#gone || this.buffered + frame.byteLength > this.bufferMax) return SendResult.Dropped;
    this.sent.push({ bytes: [...frame], compress });
    if (!this.stuck) return SendResult.Sent;
    this.buffered += frame.byteLength;
    return SendResult.Buffered;
  }

  ping(number: number): boolean {
    if (this.#gone) return false;
    this.pings.push(number);
    return true;
  }

  together(write: () => void): void {
    const [frames, pings] = [this.sent.length, this.pings.length];
    write();
    const wrote = { frames: this.sent.length - frames, pings: this.pings.length - pings };
    if (wrote.frames + wrote.pings > 0) this.pieces.push(wrote);
  }

  bufferedBytes(): number {
    return this.buffered;
  }

  close(code: number, reason: string): void {
    this.ends.push(`${code} ${reason}`);
    this.goAway(code, reason);
  }

  terminate(): void {
    this.ends.push("terminated");
    this.goAway(1006, "");
  }

  /** The connection is gone, whoever ended it. */
  goAway(code = 1001, reason = ""): void {
    if (this.#gone) return;
    this.#gone = true;
    this.handler?.onClose(code, reason);
  }
}
