import type { CancelTimer, Clock } from "#core/clock.ts";

/** A session that is asked to leave. */
export type DrainableSession = {
  /** Tells the client, which may leave by itself and come back elsewhere within the window. */
  announceGoingAway(reconnectWindowMs: number): void;
  /** Sends what is queued and closes with a code. Idempotent, also after the session has gone. */
  dismiss(): void;
  /** Cuts the connection. Idempotent. */
  terminate(): void;
};

/** What a drain works on. */
type DrainParts = {
  readonly clock: Clock;
  /** Those that are there now; whoever owns them takes out what has gone. */
  readonly sessions: ReadonlySet<DrainableSession>;
  /** Closes are spread over so long. */
  readonly windowMs: number;
  /** Whatever is left after so long is cut. */
  readonly graceMs: number;
};

/** Clients that are told, or closed, in one turn of the event loop. */
const SESSIONS_PER_TURN = 128;

/**
 * Empties a gateway: every client is told, then closed at an even pace, so that clients do not come
 * back all at once; whoever has not gone after `graceMs` is cut.
 */
export class Drain {
  readonly #parts: DrainParts;
  #onEmpty: (() => void) | undefined;
  #cancelNext: CancelTimer = () => {};

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /** Resolves when no session is left. */
  async run(): Promise<void> {
    const { sessions } = this.#parts;
    this.#announce([...sessions], 0);
    await this.#emptyOrGraceOver();
    this.#cancelNext();
    for (const session of sessions) session.terminate();
  }

  /** A session was taken out of `sessions`. */
  onSessionGone(): void {
    if (this.#parts.sessions.size === 0) this.#onEmpty?.();
  }

  get #windowMs(): number {
    return Math.min(this.#parts.windowMs, this.#parts.graceMs);
  }

  #announce(sessions: readonly DrainableSession[], first: number): void {
    const end = Math.min(sessions.length, first + SESSIONS_PER_TURN);
    for (const session of sessions.slice(first, end)) session.announceGoingAway(this.#windowMs);
    if (end < sessions.length) this.#next(1, () => this.#announce(sessions, end));
    else this.#spreadDismissals();
  }

  /** The first one, too, is left to a timer: whoever was told is to hear it before. */
  #spreadDismissals(): void {
    const { clock } = this.#parts;
    const leaving = [...this.#parts.sessions];
    const startedUs = clock.monotonicUs();
    let next = 0;
    const waitMs = (): number => {
      const dueMs = Math.floor((this.#windowMs * next) / leaving.length);
      return Math.max(0, dueMs - (clock.monotonicUs() - startedUs) / 1_000);
    };
    const dismissDue = (): void => {
      const end = Math.min(leaving.length, next + SESSIONS_PER_TURN);
      for (; next < end && waitMs() === 0; next += 1) leaving[next]?.dismiss();
      if (next < leaving.length) this.#next(Math.max(1, waitMs()), dismissDue);
    };
    this.#next(0, dismissDue);
  }

  #next(delayMs: number, step: () => void): void {
    this.#cancelNext = this.#parts.clock.after(delayMs, step);
  }

  #emptyOrGraceOver(): Promise<void> {
    const { clock, sessions, graceMs } = this.#parts;
    if (sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.after(graceMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }
}
