import { Buffer } from "node:buffer";
import { WebSocket } from "ws";
import type { RawData } from "ws";
import { ControlFrames, TOO_MANY_PINGS } from "../control-frames.ts";
import type { HandlerGuard } from "../handler-guard.ts";
import { nowMs } from "../housekeeping.ts";
import { dueAfter } from "../idle-ticks.ts";
import { pingPayload, pongNumber } from "../ping-number.ts";
import type { Connection, ConnectionHandler } from "../transport.ts";
import { SendResult } from "../transport.ts";
import { cutReason } from "../web-socket-text.ts";

/** What a connection needs of its transport. */
type NodeConnectionOptions = Pick<Connection, "id" | "remoteAddress"> & {
  readonly ws: WebSocket;
  readonly bufferedBytesMax: number;
  readonly guard: HandlerGuard;
  /** The socket is gone for good. */
  onGone(): void;
};

/** A Connection on `ws`, which calls `onClose` from within `close` and `terminate`. */
export class NodeConnection implements Connection {
  readonly id: number;
  readonly remoteAddress: string;
  readonly compressionNegotiated: boolean;
  readonly #ws: WebSocket;
  readonly #options: NodeConnectionOptions;
  #handler: ConnectionHandler | undefined;
  #closed = false;
  /** How the connection closed while its handler was being made. */
  #closedEarly: { readonly code: number; readonly reason: string } | undefined;
  #waiting = false;
  /** Ticks of the idle timer since something whole came. */
  #silentTicks = 0;
  /** Made with the first of them, because many clients have none for long. */
  #controlFrames: ControlFrames | undefined;

  constructor(options: NodeConnectionOptions) {
    this.id = options.id;
    this.remoteAddress = options.remoteAddress;
    this.#ws = options.ws;
    this.#options = options;
    this.compressionNegotiated = options.ws.extensions.includes("permessage-deflate");
    this.#listen();
  }

  /** Makes the handler. Must be called once, right after construction. */
  open(accept: (connection: Connection) => ConnectionHandler): void {
    const { guard } = this.#options;
    try {
      this.#handler = accept(this);
      const early = this.#closedEarly;
      if (early !== undefined) this.#tellClosed(early.code, early.reason);
    } catch (error) {
      guard.fail("onConnection", error);
    }
  }

  send(frame: Uint8Array, compress: boolean): SendResult {
    // Between the end of its socket and its close event, `ws` takes frames and forgets them.
    if (this.#closed || this.#ws.readyState !== WebSocket.OPEN) return SendResult.Dropped;
    if (this.#ws.bufferedAmount + frame.byteLength > this.#options.bufferedBytesMax) {
      return SendResult.Dropped;
    }
    // `ws` keeps a reference until the kernel has taken the bytes, so it gets its own.
    const copy = Buffer.from(frame);
    const deflate = compress && this.compressionNegotiated;
    this.#ws.send(copy, { binary: true, compress: deflate }, this.#onWritten);
    if (this.#ws.bufferedAmount === 0) return SendResult.Sent;
    this.#waiting = true;
    return SendResult.Buffered;
  }

  ping(number: number): boolean {
    if (this.#closed || this.#ws.readyState !== WebSocket.OPEN) return false;
    this.#controlFrames?.expectPong();
    this.#ws.ping(pingPayload(number));
    return true;
  }

  together(write: () => void): void {
    write();
  }

  bufferedBytes(): number {
    return this.#closed ? 0 : this.#ws.bufferedAmount;
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    const text = cutReason(reason);
    this.#ws.close(code, text);
    this.#finish(code, text);
  }

  terminate(): void {
    this.#ws.terminate();
    this.#finish(1006, "");
  }

  /** Counts one tick of the idle timer: pings at half of the timeout, cuts at the end of it. */
  tick(): void {
    this.#silentTicks += 1;
    const due = dueAfter(this.#silentTicks);
    if (due === "cut") this.terminate();
    else if (due === "ping" && !this.#closed) this.#ws.ping();
  }

  readonly #onWritten = (error?: Error | null): void => {
    const { guard } = this.#options;
    if (error instanceof Error || !this.#waiting || this.#closed || guard.failed) return;
    if (this.#ws.bufferedAmount === 0) this.#waiting = false;
    try {
      this.#handler?.onDrain();
    } catch (error) {
      guard.fail("onDrain", error);
    }
  };

  #listen(): void {
    this.#ws.on("ping", () => this.#takeControlFrame());
    this.#ws.on("pong", (payload: Buffer) => this.#ponged(payload));
    this.#ws.on("message", (data: RawData, isBinary: boolean) => this.#received(data, isBinary));
    this.#ws.on("error", () => this.terminate());
    this.#ws.on("close", (code, reason) => {
      this.#options.onGone();
      this.#finish(code, reason.toString("utf8"));
    });
  }

  #ponged(payload: Buffer): void {
    const { guard } = this.#options;
    const isGranted = this.#takeControlFrame();
    const number = isGranted ? pongNumber(payload) : undefined;
    if (number === undefined || this.#closed || guard.failed) return;
    try {
      this.#handler?.onPong(number);
    } catch (error) {
      guard.fail("onPong", error);
    }
  }

  /** False if it is one too many; then the connection closes. */
  #takeControlFrame(): boolean {
    this.#silentTicks = 0;
    this.#controlFrames ??= new ControlFrames(nowMs);
    if (this.#controlFrames.take()) return true;
    this.close(TOO_MANY_PINGS.code, TOO_MANY_PINGS.reason);
    return false;
  }

  #received(data: RawData, isBinary: boolean): void {
    const { guard } = this.#options;
    this.#silentTicks = 0;
    if (this.#closed || guard.failed) return;
    const bytes = data instanceof Uint8Array ? data : Buffer.concat(data as Buffer[]);
    try {
      this.#handler?.onMessage(bytes, isBinary);
    } catch (error) {
      guard.fail("onMessage", error);
    }
  }

  #finish(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#handler === undefined) this.#closedEarly = { code, reason };
    else this.#tellClosed(code, reason);
  }

  #tellClosed(code: number, reason: string): void {
    const { guard } = this.#options;
    if (guard.failed) return;
    try {
      this.#handler?.onClose(code, reason);
    } catch (error) {
      guard.fail("onClose", error);
    }
  }
}
