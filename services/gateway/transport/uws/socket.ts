import type { Admission } from "../admission.ts";
import { afterCallbacks } from "../housekeeping.ts";
import type { PeerAddresses } from "../peer-address.ts";
import type { RefusalLimit } from "../transport.ts";
import type { UwsResponse } from "../uws-module.ts";
import { socketAddressOf } from "./request.ts";

/** Where an exchange is answered. */
export type ExchangeSocket = {
  /** The connection ends with the answer. */
  readonly closes: boolean;
  /** Runs what completes the response, which may close the socket. */
  complete(write: () => void): void;
};

/** A request whose handler has run; what its socket then hears is passed on to it. */
export type Exchange = {
  /** Nothing of its body can have been missed when its handler has returned. */
  readonly hasMissedNothing: boolean;
  /** Called soon after the request's handler, before anything is received. */
  linked(socket: ExchangeSocket): void;
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
  /** Exchanges whose socket was found in this turn. */
  readonly #taken = new Set<Exchange>();
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
   * A request's handler runs. Mostly its socket is known when the handler has returned, because the
   * socket hears of the body or of its absence. It stays unknown if the body comes in pieces of
   * which none is here yet: such an exchange hears of its body by itself, and its connection ends
   * with the answer, because nobody would hear of the next request on it. A connection on which a
   * request comes behind one that was refused with its body under way is cut.
   */
  begin(exchange: Exchange, response: UwsResponse): void {
    const { admission, addresses } = this.#parts;
    const owner = addresses.ownerOf(socketAddressOf(response));
    let isOpen = true;
    const gone = (): void => {
      if (!isOpen) return;
      isOpen = false;
      admission.closeSocket(owner);
    };
    response.onAborted(() => {
      gone();
      exchange.aborted();
    });
    this.#begun = exchange;
    afterCallbacks(() => {
      if (this.#begun === exchange) this.#begun = undefined;
      else if (this.#taken.delete(exchange)) return;
      if (!isOpen) return;
      if (!exchange.hasMissedNothing) {
        response.close();
        return;
      }
      response.onData((chunk, isLast) => exchange.receive(chunk, isLast));
      exchange.linked({
        closes: true,
        complete: (write) => {
          write();
          gone();
        },
      });
    });
  }

  /** The exchange whose handler has just run, once. */
  take(): Exchange | undefined {
    const begun = this.#begun;
    if (begun === undefined) return undefined;
    this.#begun = undefined;
    this.#taken.add(begun);
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
class UwsSocket implements ExchangeSocket {
  readonly closes = false;
  readonly #sockets: UwsSockets;
  /** Stays valid while the socket is open, unlike the response of a request. */
  readonly #response: UwsResponse;
  readonly #onGone: () => void;
  #exchange: Exchange | undefined;
  #hasBodyUnderWay = false;
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

  complete(write: () => void): void {
    this.#exchange = undefined;
    if (this.#sockets.closesDuring(write)) this.#onClosed();
    else if (this.#isOpen) this.listen();
  }

  readonly #onData = (chunk: ArrayBuffer, isLast: boolean): void => {
    // The rest of a body whose request was refused has no request of its own.
    const begun = this.#hasBodyUnderWay ? undefined : this.#sockets.take();
    this.#hasBodyUnderWay = !isLast;
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
