import type { ClientClock } from "../host/environment.ts";

/**
 * When a connection counts as silent. Browsers hide protocol pings, so the client sends its own.
 */
export type LivenessOptions = {
  /** A Ping goes out after nothing arrived for this long. 0 turns the watchdog off. */
  readonly pingIntervalMs: number;
  /** The connection is given up if nothing at all arrives for this long after a Ping. */
  readonly pongTimeoutMs: number;
};

// A timer that fires this much too late was throttled or frozen: what arrived meanwhile is not read
// yet.
const TIMER_LATENESS_MS_MAX = 2_000;

/** Watches one connection. Any inbound byte is a sign of life. */
export class Liveness {
  readonly #clock: ClientClock;
  readonly #options: LivenessOptions;
  readonly #sendPing: (nonce: number) => void;
  readonly #onSilent: () => void;
  #cancelTimer: () => void = () => undefined;
  #inbound = 0;
  #nonce = 0;
  #stopped = true;

  constructor(
    clock: ClientClock,
    options: LivenessOptions,
    handlers: { readonly sendPing: (nonce: number) => void; readonly onSilent: () => void },
  ) {
    this.#clock = clock;
    this.#options = options;
    this.#sendPing = handlers.sendPing;
    this.#onSilent = handlers.onSilent;
  }

  start(): void {
    this.#stopped = this.#options.pingIntervalMs === 0;
    this.#watch();
  }

  /** To be called for everything that arrives. */
  observeInbound(): void {
    this.#inbound += 1;
  }

  /** Asks for a sign of life now, because the host says that something changed. */
  probe(): void {
    if (!this.#stopped) this.#ping();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  #watch(): void {
    this.#cancelTimer();
    if (this.#stopped) return;
    const inboundBefore = this.#inbound;
    this.#cancelTimer = this.#clock.after(this.#options.pingIntervalMs, () => {
      if (this.#inbound === inboundBefore) this.#ping();
      else this.#watch();
    });
  }

  #ping(): void {
    this.#cancelTimer();
    const inboundBefore = this.#inbound;
    const sentAtUs = this.#clock.nowUs();
    this.#nonce += 1;
    this.#sendPing(this.#nonce);
    if (this.#stopped) return;
    this.#cancelTimer = this.#clock.after(this.#options.pongTimeoutMs, () => {
      const elapsedMs = (this.#clock.nowUs() - sentAtUs) / 1_000;
      if (this.#inbound !== inboundBefore) this.#watch();
      else if (elapsedMs > this.#options.pongTimeoutMs + TIMER_LATENESS_MS_MAX) this.#ping();
      else this.#onSilent();
    });
  }
}
