import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import type { ClientClock } from "./environment.ts";

/** Attempts to load before who asked is told that it cannot be had. */
const ATTEMPTS_MAX = 3;

/** What loading takes from the session that it is for. */
type LateCodeHost = {
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Waits between attempts. */
  readonly backoff: BackoffOptions;
};

/**
 * Code that comes when it is first needed, so that a page does not load at start what it may never
 * use. Networks fail for a moment: it is tried three times before who asked is told, and whoever
 * asks later begins anew.
 */
export class LateCode<Code> {
  readonly #load: () => Promise<Code>;
  readonly #host: LateCodeHost;
  #loading: Promise<Code> | undefined;

  constructor(load: () => Promise<Code>, host: LateCodeHost) {
    this.#load = load;
    this.#host = host;
  }

  /** The code, loaded once for all who ask. Rejects with why the last attempt failed. */
  get(): Promise<Code> {
    this.#loading ??= this.#tryFrom(1);
    return this.#loading;
  }

  async #tryFrom(attempt: number): Promise<Code> {
    try {
      return await this.#load();
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) {
        this.#loading = undefined;
        throw error;
      }
    }
    const { clock, random, backoff } = this.#host;
    const delayMs = backoffDelayMs(attempt - 1, backoff, random);
    await new Promise<void>((resolve) => {
      clock.after(delayMs, resolve);
    });
    return this.#tryFrom(attempt + 1);
  }
}
