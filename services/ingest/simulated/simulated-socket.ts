import type { Clock } from "#core/clock.ts";
import type { FeedSocket, FeedSocketHandlers } from "../feed/connection/web-socket-dialer.ts";

/** Requests of one connection that wait for an answer; one more closes it. */
export const REQUESTS_PENDING_MAX = 1_000;
const POLICY_VIOLATION = 1008;

/** The side of the venue that a connection leads to. */
type SocketOwner = {
  /** Takes one request of a socket. */
  onRequest(socket: SimulatedSocket, frame: string): void;
  /** A socket is over. */
  onEnded(socket: SimulatedSocket): void;
};

/**
 * One connection to the simulated venue. Everything it reports is reported later, as from a
 * network.
 */
export class SimulatedSocket implements FeedSocket {
  readonly #clock: Clock;
  readonly #handlers: FeedSocketHandlers;
  readonly #server: SocketOwner;
  readonly #requests: string[] = [];
  #ended = false;

  constructor(clock: Clock, handlers: FeedSocketHandlers, server: SocketOwner) {
    this.#clock = clock;
    this.#handlers = handlers;
    this.#server = server;
  }

  open(): void {
    this.#clock.after(0, () => {
      if (!this.#ended) this.#handlers.onOpen();
    });
  }

  deliver(frame: string): void {
    if (!this.#ended) this.#handlers.onFrame(frame);
  }

  send(frame: string): void {
    if (this.#ended) return;
    if (this.#requests.length >= REQUESTS_PENDING_MAX) {
      this.end(POLICY_VIOLATION, "too many requests");
      return;
    }
    this.#requests.push(frame);
    this.#clock.after(0, () => {
      const request = this.#requests.shift();
      if (!this.#ended && request !== undefined) this.#server.onRequest(this, request);
    });
  }

  ping(): void {
    this.#clock.after(0, () => {
      if (!this.#ended) this.#handlers.onPong?.();
    });
  }

  close(): void {
    this.end(1000, "");
  }

  terminate(): void {
    this.end(1006, "");
  }

  bufferedBytes(): number {
    return 0;
  }

  /** Nothing is delivered any more; `onClose` follows. */
  end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#server.onEnded(this);
    this.#clock.after(0, () => this.#handlers.onClose(code, reason));
  }
}
