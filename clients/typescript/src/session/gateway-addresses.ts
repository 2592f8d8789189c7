import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";

/** One address, and what became of it. */
type Address = {
  readonly url: string;
  /** Attempts since a connection to it last held. */
  attempt: number;
  /** Not to be dialled before, unless the network has changed. */
  readyAtUs: number;
};

/** Which address is to be dialled, and after how long. */
type NextDial = { readonly index: number; readonly delayMs: number };

/**
 * The addresses of a client: gateways that serve the same. The one that works is kept; one that
 * fails is left for the others, and each waits its own back-off. Pure: the time comes with each
 * call.
 */
export class GatewayAddresses {
  readonly #addresses: readonly Address[];
  readonly #backoff: BackoffOptions;
  readonly #random: () => number;

  /** At least one. `random` is in [0, 1). */
  constructor(urls: readonly string[], backoff: BackoffOptions, random: () => number) {
    this.#addresses = urls.map((url) => ({ url, attempt: 0, readyAtUs: 0 }));
    this.#backoff = backoff;
    this.#random = random;
  }

  get count(): number {
    return this.#addresses.length;
  }

  /** The address of that index, which is below `count`. */
  urlOf(index: number): string {
    return this.#addresses[index]!.url;
  }

  /** A connection to it ended after it was ready for `heldMs`, or could not be made. */
  failed(index: number, nowUs: number, heldMs: number): void {
    const address = this.#addresses[index]!;
    // After a connection that lasted, waits are short again; not after one that broke at once.
    if (heldMs >= this.#backoff.maxMs) address.attempt = 0;
    address.readyAtUs = nowUs + this.#delayMs(address.attempt) * 1_000;
    address.attempt += 1;
  }

  /** The gateway at it is about to go away: others come first. */
  avoid(index: number, nowUs: number): void {
    this.#addresses[index]!.readyAtUs = nowUs + this.#delayMs(0) * 1_000;
  }

  /** The network has changed: nothing that failed before says anything now. */
  reset(): void {
    for (const address of this.#addresses) {
      address.attempt = 0;
      address.readyAtUs = 0;
    }
  }

  /**
   * The address that may be dialled first; of several, the one that follows `after`, which itself
   * comes last. Nobody dials at once: thousands of clients would do it together.
   */
  next(after: number, nowUs: number): NextDial {
    const { count } = this;
    let index = after;
    for (let step = count - 1; step >= 0; step--) {
      const candidate = (after + 1 + step) % count;
      if (this.#addresses[candidate]!.readyAtUs <= this.#addresses[index]!.readyAtUs) {
        index = candidate;
      }
    }
    const waitMs = (this.#addresses[index]!.readyAtUs - nowUs) / 1_000;
    return { index, delayMs: waitMs > 0 ? waitMs : this.#delayMs(0) };
  }

  #delayMs(attempt: number): number {
    return backoffDelayMs(attempt, this.#backoff, this.#random);
  }
}
