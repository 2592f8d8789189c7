import type { CancelTimer, Clock } from "#core/clock.ts";

/** A session that is asked to leave. */
export type DrainableSession = {
  /** Tells the client, which may leave by itself and come back elsewhere within the window. */
  announceGoingAway(reconnectWindowMs: number): void;
  /** Closes with a code. Idempotent, also after the session has gone. */
  dismiss(): void;
  /** Cuts the connection. Idempotent. */
  terminate(): void;
};

/** What a drain works on. */
type DrainParts = {
  readonly clock: Clock;
  /** Those that are there now; whoever owns them takes out what has gone. */
  readonly sessions: ReadonlySet<DrainableSession>;
  /** Sends what is queued, so that it leaves before a close. */
  readonly flush: () => void;
  /** Closes are spread over so long. */
  readonly windowMs: number;
  /** Whatever is left after so long is cut. */
  readonly graceMs: number;
};

/**
 * Empties a gateway: every client is told, then closed at an even pace, so that clients do not come
 * back all at once; whoever has not gone after `graceMs` is cut.
 */
export class Drain {
  readonly #parts: DrainParts;
  #onEmpty: (() => void) | undefined;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /** Resolves when no session is left. */
  async run(): Promise<void> {
    const { sessions, flush } = this.#parts;
    const windowMs = Math.min(this.#parts.windowMs, this.#parts.graceMs);
    for (const session of sessions) session.announceGoingAway(windowMs);
    flush();
    const cancelDismissals = this.#spreadDismissals(windowMs);
    await this.#emptyOrGraceOver();
    for (const cancel of cancelDismissals) cancel();
    for (const session of sessions) session.terminate();
  }

  /** A session was taken out of `sessions`. */
  onSessionGone(): void {
    if (this.#parts.sessions.size === 0) this.#onEmpty?.();
  }

  #spreadDismissals(windowMs: number): CancelTimer[] {
    const { clock, flush } = this.#parts;
    const sessions = [...this.#parts.sessions];
    return sessions.map((session, index) =>
      clock.after(Math.floor((windowMs * index) / sessions.length), () => {
        flush();
        session.dismiss();
      }),
    );
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
