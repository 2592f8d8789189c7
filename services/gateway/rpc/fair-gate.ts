import { RpcError } from "./rpc-error.ts";

type Waiting = { readonly wake: () => void; readonly forget: () => void };

/** By then, those who waited have had their turns. */
const RETRY_AFTER_MS = 1_000;

/**
 * Lets so many questions to one venue's ingestor be under way at once; the others wait. Whose turn
 * it is goes round the clients that wait, so that who asks for much waits for itself, and an
 * ingestor has no more to answer at a time than it can beside its feeds.
 */
export class FairGate {
  readonly #inFlightMax: number;
  readonly #waitingMax: number;
  /** Questions that wait, by client; the client whose turn is next first. */
  readonly #waiting = new Map<object, Waiting[]>();
  #inFlight = 0;
  #count = 0;

  constructor(limits: { readonly inFlightMax: number; readonly waitingMax: number }) {
    this.#inFlightMax = limits.inFlightMax;
    this.#waitingMax = limits.waitingMax;
  }

  /** Questions that wait. */
  get waiting(): number {
    return this.#count;
  }

  /** Nothing is under way, and nothing waits. */
  get isIdle(): boolean {
    return this.#inFlight === 0;
  }

  /**
   * Asks when it is the client's turn, and settles as the question does. A question whose call is
   * over by then is not asked: the promise never settles, and nobody waits for it.
   * @throws RpcError `resource_exhausted` if too many wait.
   */
  async run<Answer>(
    client: object,
    signal: AbortSignal,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#inFlight >= this.#inFlightMax) await this.#turnOf(client, signal);
    else this.#inFlight += 1;
    try {
      return await ask();
    } finally {
      this.#handOn();
    }
  }

  #turnOf(client: object, signal: AbortSignal): Promise<void> {
    if (this.#count >= this.#waitingMax) {
      const message = "too many calls wait for the ingestor of this venue";
      const detail = { reason: "OVERLOADED", retryAfterMs: RETRY_AFTER_MS };
      throw new RpcError("resource_exhausted", message, { detail });
    }
    return new Promise((resolve) => {
      const forget = (): void => this.#remove(client, waiting);
      const waiting = { wake: resolve, forget: () => signal.removeEventListener("abort", forget) };
      signal.addEventListener("abort", forget, { once: true });
      const queue = this.#waiting.get(client);
      if (queue === undefined) this.#waiting.set(client, [waiting]);
      else queue.push(waiting);
      this.#count += 1;
    });
  }

  #remove(client: object, waiting: Waiting): void {
    const queue = this.#waiting.get(client);
    const index = queue?.indexOf(waiting) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.splice(index, 1);
    this.#count -= 1;
    if (queue.length === 0) this.#waiting.delete(client);
  }

  /** Whoever is next takes the place, so that nobody can slip in between. */
  #handOn(): void {
    for (const [client, queue] of this.#waiting) {
      const next = queue.shift();
      // Behind the others, if it waits for more.
      this.#waiting.delete(client);
      if (queue.length > 0) this.#waiting.set(client, queue);
      this.#count -= 1;
      next?.forget();
      next?.wake();
      return;
    }
    this.#inFlight -= 1;
  }
}
