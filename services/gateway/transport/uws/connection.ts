import { Buffer } from "node:buffer";
import { assert } from "#core/assert.ts";
import { ControlFrames, TOO_MANY_PINGS } from "../control-frames.ts";
import type { HandlerGuard } from "../handler-guard.ts";
import { nowMs } from "../housekeeping.ts";
import { dueAfter } from "../idle-ticks.ts";
import { pingPayload, pongNumber } from "../ping-number.ts";
import type { Connection, ConnectionHandler } from "../transport.ts";
import { SendResult } from "../transport.ts";
import type { WebSocket } from "../uws-module.ts";
import { cutReason } from "../web-socket-text.ts";

/** Copied onto the WebSocket by uWebSockets.js, so it is one pointer. */
export type UserData = { readonly connection: UwsConnection };

/** What all connections of a transport share. */
type UwsConnectionHost = {
  readonly bufferedBytesMax: number;
  readonly guard: HandlerGuard;
  /** The socket is gone for good. */
  onGone(connection: UwsConnection): void;
};

/** What a connection is made of. */
type UwsConnectionOptions = Pick<Connection, "id" | "remoteAddress" | "compressionNegotiated"> & {
  /** Who is counted for the socket, and for the client behind it if that is a proxy's. */
  readonly owner: string | undefined;
  readonly proxied: string | undefined;
  /** Makes the handler, when the connection is open. */
  readonly accept: (connection: Connection) => ConnectionHandler;
};

/** A Connection on uWebSockets.js, which calls `onClose` from within `close` and `terminate`. */
export class UwsConnection implements Connection {
  readonly id: number;
  readonly remoteAddress: string;
  readonly compressionNegotiated: boolean;
  readonly owner: string | undefined;
  readonly proxied: string | undefined;
  readonly #host: UwsConnectionHost;
  /** Undefined when it was called. */
  #accept: UwsConnectionOptions["accept"] | undefined;
  /** Undefined before the connection is open and after it closed: touching a closed one throws. */
  #socket: WebSocket<UserData> | undefined;
  #handler: ConnectionHandler | undefined;
  /** Ticks of the idle timer since something whole came. */
  #silentTicks = 0;
  /** Made with the first of them, because many clients have none for long. */
  #controlFrames: ControlFrames | undefined;
  /**
   * Something may be buffered, so the library is to be asked, which costs as much as half of a
   * small frame. What is sent from within its own calls is buffered after they return.
   */
  #mayBuffer = true;
  /** How the connection closed while its handler was being made. */
  #closedEarly: { readonly code: number; readonly reason: string } | undefined;

  constructor(host: UwsConnectionHost, options: UwsConnectionOptions) {
    this.id = options.id;
    this.remoteAddress = options.remoteAddress;
    this.compressionNegotiated = options.compressionNegotiated;
    this.owner = options.owner;
    this.proxied = options.proxied;
    this.#host = host;
    this.#accept = options.accept;
  }

  send(frame: Uint8Array, compress: boolean): SendResult {
    const socket = this.#socket;
    if (socket === undefined) return SendResult.Dropped;
    // Checked here, before uWebSockets.js does, so that control frames still find room and the
    // limit is exact.
    if (this.#bufferedOf(socket) + frame.byteLength > this.#host.bufferedBytesMax) {
      return SendResult.Dropped;
    }
    const result = socket.send(frame, true, compress);
    if (result === 1) return SendResult.Sent;
    this.#mayBuffer = true;
    return result === 0 ? SendResult.Buffered : SendResult.Dropped;
  }

  ping(number: number): boolean {
    const socket = this.#socket;
    if (socket === undefined) return false;
    const payload = pingPayload(number);
    if (this.#bufferedOf(socket) + payload.byteLength > this.#host.bufferedBytesMax) {
      return false;
    }
    this.#controlFrames?.expectPong();
    this.#mayBuffer = true;
    // 2 is "dropped".
    return socket.ping(payload) !== 2;
  }

  together(write: () => void): void {
    const socket = this.#socket;
    if (socket === undefined) {
      write();
      return;
    }
    // The library must not see what is thrown.
    let thrown: { readonly error: unknown } | undefined;
    socket.cork(() => {
      try {
        write();
      } catch (error) {
        thrown = { error };
      }
    });
    this.#mayBuffer = true;
    if (thrown !== undefined) throw thrown.error;
  }

  bufferedBytes(): number {
    const socket = this.#socket;
    return socket === undefined ? 0 : this.#bufferedOf(socket);
  }

  close(code: number, reason: string): void {
    this.#socket?.end(code, cutReason(reason));
  }

  terminate(): void {
    this.#socket?.close();
  }

  /** Counts one tick of the idle timer: pings at half of the timeout, cuts at the end of it. */
  tick(): void {
    this.#silentTicks += 1;
    const due = dueAfter(this.#silentTicks);
    if (due === "cut") this.terminate();
    else if (due === "ping") {
      this.#socket?.ping();
      this.#mayBuffer = true;
    }
  }

  /** A ping came, which the library has answered. */
  heard(): void {
    this.#silentTicks = 0;
    this.#takeControlFrame();
    this.#mayBuffer = true;
  }

  /** A pong came. `payload` is only valid during the call. */
  ponged(payload: ArrayBuffer): void {
    this.#silentTicks = 0;
    if (!this.#takeControlFrame()) return;
    const number = pongNumber(new Uint8Array(payload));
    const { guard } = this.#host;
    if (number === undefined || guard.failed) return;
    try {
      this.#handler?.onPong(number);
    } catch (error) {
      guard.fail("onPong", error);
    }
    this.#mayBuffer = true;
  }

  /** The handshake is done. */
  opened(socket: WebSocket<UserData>): void {
    const { guard } = this.#host;
    if (guard.failed) return;
    const accept = this.#accept;
    this.#accept = undefined;
    try {
      assert(accept !== undefined, "a connection opens once");
      this.#socket = socket;
      const handler = accept(this);
      this.#handler = handler;
      const early = this.#closedEarly;
      if (early !== undefined) this.#finish(early.code, early.reason);
    } catch (error) {
      guard.fail("onConnection", error);
    }
    this.#mayBuffer = true;
  }

  /** `data` is only valid during the call. */
  received(data: ArrayBuffer, isBinary: boolean): void {
    this.#silentTicks = 0;
    const { guard } = this.#host;
    if (guard.failed) return;
    try {
      this.#handler?.onMessage(new Uint8Array(data), isBinary);
    } catch (error) {
      guard.fail("onMessage", error);
    }
    this.#mayBuffer = true;
  }

  drained(): void {
    const { guard } = this.#host;
    if (guard.failed) return;
    try {
      this.#handler?.onDrain();
    } catch (error) {
      guard.fail("onDrain", error);
    }
    this.#mayBuffer = true;
  }

  /** Called by uWebSockets.js once. */
  gone(code: number, reason: ArrayBuffer): void {
    this.#socket = undefined;
    this.#host.onGone(this);
    this.#finish(code, reason.byteLength === 0 ? "" : Buffer.from(reason).toString("utf8"));
  }

  #bufferedOf(socket: WebSocket<UserData>): number {
    if (!this.#mayBuffer) return 0;
    const bytes = socket.getBufferedAmount();
    this.#mayBuffer = bytes > 0;
    return bytes;
  }

  /** False if it is one too many; then the connection closes. */
  #takeControlFrame(): boolean {
    this.#controlFrames ??= new ControlFrames(nowMs);
    if (this.#controlFrames.take()) return true;
    this.close(TOO_MANY_PINGS.code, TOO_MANY_PINGS.reason);
    return false;
  }

  #finish(code: number, reason: string): void {
    const { guard } = this.#host;
    const handler = this.#handler;
    this.#handler = undefined;
    if (guard.failed) return;
    if (handler === undefined) {
      this.#closedEarly = { code, reason };
      return;
    }
    try {
      handler.onClose(code, reason);
    } catch (error) {
      guard.fail("onClose", error);
    }
  }
}
