import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { RawData, WebSocket } from "ws";
import type { Connection, ConnectionHandler } from "./transport.ts";
import { SendResult } from "./transport.ts";
import { cutReason } from "./web-socket-text.ts";

/** What a connection needs of its transport. */
export type NodeConnectionOptions = {
  readonly id: number;
  readonly remoteAddress: string;
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly bufferedBytesMax: number;
  guard(where: string, run: () => void): void;
  /** The socket is gone for good. */
  onGone(): void;
};

/** A Connection on `ws`. `onClose` is called from within `close()` and `terminate()`, as uWebSockets.js does. */
export class NodeConnection implements Connection {
  readonly id: number;
  readonly remoteAddress: string;
  readonly compressionNegotiated: boolean;
  readonly #ws: WebSocket;
  readonly #options: NodeConnectionOptions;
  #handler: ConnectionHandler | undefined;
  #closed = false;
  #waiting = false;
  #heardAtMs = performance.now();
  #pinged = false;

  constructor(options: NodeConnectionOptions) {
    this.id = options.id;
    this.remoteAddress = options.remoteAddress;
    this.#ws = options.ws;
    this.#options = options;
    this.compressionNegotiated = options.ws.extensions.includes("permessage-deflate");
    this.#listen();
  }

  /** Must be called once, right after construction. */
  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  send(frame: Uint8Array, compress: boolean): SendResult {
    if (this.#closed) return SendResult.Dropped;
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

  /** Called now and then: pings after half the timeout without a byte, cuts after all of it. */
  checkIdle(idleTimeoutMs: number): void {
    const silentMs = performance.now() - this.#heardAtMs;
    if (silentMs >= idleTimeoutMs) {
      this.terminate();
    } else if (silentMs >= idleTimeoutMs / 2 && !this.#pinged && !this.#closed) {
      this.#pinged = true;
      this.#ws.ping();
    }
  }

  readonly #onWritten = (): void => {
    if (!this.#waiting || this.#closed) return;
    if (this.#ws.bufferedAmount === 0) this.#waiting = false;
    this.#options.guard("drain", () => this.#handler?.onDrain());
  };

  #listen(): void {
    this.#options.socket.on("data", () => {
      this.#heardAtMs = performance.now();
      this.#pinged = false;
    });
    this.#ws.on("message", (data: RawData, isBinary: boolean) => {
      if (this.#closed) return;
      const bytes = data instanceof Uint8Array ? data : Buffer.concat(data as Buffer[]);
      this.#options.guard("message", () => this.#handler?.onMessage(bytes, isBinary));
    });
    this.#ws.on("error", () => this.terminate());
    this.#ws.on("close", (code, reason) => {
      this.#options.onGone();
      this.#finish(code, reason.toString("utf8"));
    });
  }

  #finish(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.guard("close", () => this.#handler?.onClose(code, reason));
  }
}
