import type { Admission } from "../admission.ts";
import { afterCallbacks } from "../housekeeping.ts";
import type { PeerAddresses } from "../peer-address.ts";
import type { RefusalLimit } from "../transport.ts";
import type { UwsResponse } from "../uws-module.ts";
import { socketAddressOf } from "./request.ts";

/** A request whose handler has run; what its socket then hears is passed on to it. */
export type Exchange = {
  /** Called right after the request's handler, with the socket that the request came from. */
  linked(socket: UwsSocket): void;
  receive(chunk: ArrayBuffer, isLast: boolean): void;
  /** The socket is closed: the response is dead. */
  aborted(): void;
};

type UwsSocketsParts = {
  readonly admission: Admission;
  readonly addresses: PeerAddresses;
  readonly onRefused: (limit: RefusalLimit) => void;
};

/**
 * Knows every HTTP socket from its first moment to its last. uWebSockets.js tells of a socket that
 * opens, but not which of them closes, nor which of them a request comes from. Both are found
 * through callbacks that each socket is given when it opens: they are called when it closes, and
 * right after the handler of its request.
 */
export class UwsSockets {
  readonly #parts: UwsSocketsParts;
  #begun: Exchange | undefined;
  /** Sockets that have closed so far. */
  #closed = 0;

  constructor(parts: UwsSocketsParts) {
    this.#parts = parts;
  }

  /** For `filter`. */
  onCount(response: UwsResponse, count: number): void {
    if (count < 0) {
      this.#closed += 1;
      return;
    }
    const { admission, addresses, onRefused } = this.#parts;
    const owner = addresses.ownerOf(socketAddressOf(response));
    const limit = admission.openSocket(owner);
    if (limit === undefined) {
      new UwsSocket(this, response, () => admission.closeSocket(owner)).listen();
      return;
    }
    onRefused(limit);
    response.close();
  }

  /**
   * A request's handler runs. Until its socket is known, the exchange hears itself of its end. It
   * stays unknown only if a request comes behind one that was refused with its body under way; such
   * a connection is cut.
   */
  begin(exchange: Exchange, response: UwsResponse): void {
    const { admission, addresses } = this.#parts;
    const owner = addresses.ownerOf(socketAddressOf(response));
    let isOpen = true;
    response.onAborted(() => {
      isOpen = false;
      admission.closeSocket(owner);
      exchange.aborted();
    });
    this.#begun = exchange;
    afterCallbacks(() => {
      if (this.#begun !== exchange) return;
      this.#begun = undefined;
      if (isOpen) response.close();
    });
  }

  /** The exchange whose handler has just run, once. */
  take(): Exchange | undefined {
    const begun = this.#begun;
    this.#begun = undefined;
    return begun;
  }

  /** Whether `write` closed its socket before it returned. */
  closesDuring(write: () => void): boolean {
    const before = this.#closed;
    write();
    return this.#closed !== before;
  }
}

/** One HTTP socket, until it closes or becomes a WebSocket. */
export class UwsSocket {
  readonly #sockets: UwsSockets;
  /** Stays valid while the socket is open, unlike the response of a request. */
  readonly #response: UwsResponse;
  readonly #onGone: () => void;
  #exchange: Exchange | undefined;
  #isOpen = true;

  constructor(sockets: UwsSockets, response: UwsResponse, onGone: () => void) {
    this.#sockets = sockets;
    this.#response = response;
    this.#onGone = onGone;
  }

  /** Asks to hear of the next request and of the end. Both are forgotten with every answer. */
  listen(): void {
    this.#response.onAborted(this.#onClosed);
    this.#response.onData(this.#onData);
  }

  /** Runs what completes the response of the exchange, which may close the socket. */
  complete(write: () => void): void {
    this.#exchange = undefined;
    if (this.#sockets.closesDuring(write)) this.#onClosed();
    else if (this.#isOpen) this.listen();
  }

  readonly #onData = (chunk: ArrayBuffer, isLast: boolean): void => {
    const begun = this.#sockets.take();
    if (begun !== undefined) {
      this.#exchange = begun;
      this.#response.onAborted(this.#onClosed);
      begun.linked(this);
    }
    this.#exchange?.receive(chunk, isLast);
    // The end of a body makes uWebSockets.js forget this callback. Usually the answer comes later,
    // and with it a new one; here it came before the end.
    if (isLast && this.#exchange === undefined) afterCallbacks(this.#listenAgain);
  };

  readonly #listenAgain = (): void => {
    if (this.#isOpen && this.#exchange === undefined) this.listen();
  };

  readonly #onClosed = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onGone();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.aborted();
  };
}
