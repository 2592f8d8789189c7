import type { Channel } from "#core/instrument.ts";
import type { Clock } from "#core/clock.ts";
import type { FeedSocket, FeedSocketHandlers } from "../feed/connection/web-socket-dialer.ts";
import type { SimulatedFaults } from "./simulated-faults.ts";

/** Requests of one connection that wait for an answer; one more closes it. */
export const REQUESTS_PENDING_MAX = 1_000;
/** Frames that wait behind a delayed one; with one more the line counts as broken. */
export const DELAYED_FRAMES_MAX = 100_000;
const POLICY_VIOLATION = 1008;
const BROKEN = 1006;

/** The side of the venue that a connection leads to. */
type SocketOwner = {
  readonly faults: SimulatedFaults;
  /** Takes one request of a socket. */
  onRequest(socket: SimulatedSocket, frame: string): void;
  /** A socket is over. */
  onEnded(socket: SimulatedSocket): void;
};

/**
 * One connection to the simulated venue. Everything it reports is reported later, as from a
 * network, and with the faults that were asked for.
 */
export class SimulatedSocket implements FeedSocket {
  readonly #clock: Clock;
  readonly #handlers: FeedSocketHandlers;
  readonly #server: SocketOwner;
  readonly #requests: string[] = [];
  /** By symbol and channel: a frame that comes after the next one of its channel. */
  readonly #held = new Map<string, string>();
  /** What waits behind a delayed frame, with that frame; undefined while nothing does. */
  #delayed: string[] | undefined;
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

  /** Delivers an answer or a sign of life. */
  deliver(frame: string): void {
    if (this.#ended) return;
    if (this.#delayed === undefined) this.#handlers.onFrame(frame);
    else this.#queue(frame, this.#delayed);
  }

  /** Delivers data of a channel, unless a fault befalls it. */
  deliverData(frame: string, symbol: string, channel: Channel): void {
    if (this.#ended) return;
    const { faults } = this.#server;
    switch (faults.fateOf(channel)) {
      case "dropped":
        return;
      case "delayed":
        this.#delay(faults.delayMs);
        break;
      case "reordered":
        if (this.#held.has(`${symbol}/${channel}`)) break;
        this.#held.set(`${symbol}/${channel}`, frame);
        return;
      case "passed":
        break;
    }
    this.deliver(frame);
    if (this.#held.size > 0) this.#release(symbol, channel);
  }

  /** A subscription begins or ends: what was held of it has no next frame to come after. */
  forgetOrder(symbol: string, channel: Channel): void {
    const held = this.#held.get(`${symbol}/${channel}`);
    this.#held.delete(`${symbol}/${channel}`);
    if (held !== undefined) this.deliver(held);
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
    this.end(BROKEN, "");
  }

  bufferedBytes(): number {
    return 0;
  }

  /** Nothing is delivered any more; `onClose` follows. */
  end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#delayed = undefined;
    this.#held.clear();
    this.#server.onEnded(this);
    this.#clock.after(0, () => this.#handlers.onClose(code, reason));
  }

  #release(symbol: string, channel: Channel): void {
    const held = this.#held.get(`${symbol}/${channel}`);
    if (held === undefined) return;
    this.#held.delete(`${symbol}/${channel}`);
    this.#server.faults.reordered(channel);
    this.deliver(held);
  }

  #delay(delayMs: number): void {
    if (this.#delayed !== undefined) return;
    this.#delayed = [];
    this.#clock.after(delayMs, () => {
      const frames = this.#delayed ?? [];
      this.#delayed = undefined;
      for (const frame of frames) {
        if (this.#ended) return;
        this.#handlers.onFrame(frame);
      }
    });
  }

  #queue(frame: string, delayed: string[]): void {
    if (delayed.length >= DELAYED_FRAMES_MAX) this.end(BROKEN, "");
    else delayed.push(frame);
  }
}
