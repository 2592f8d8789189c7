import type { ConnectionError } from "../errors.ts";
import type { Environment } from "../host/environment.ts";
import type { ConnectionHandlers } from "../session/connection.ts";

/**
 * What became of a connection. `served`: it has ended after it was of use, or by the will of
 * somebody. `failed`: it never was ready. `useless`: it was ready, and broke soon with nothing
 * carried. A network that breaks a connection which carried something would break any other too.
 */
export type TrialOutcome = "served" | "failed" | "useless";

/** A connection that breaks sooner, and has carried nothing, is of no use. */
const HELD_MS_MIN = 10_000;

/** Observes one connection between its transport and its owner: whether it was of use. */
export class TransportTrial {
  /** The gateway has welcomed the client. */
  isReady = false;
  readonly #environment: Environment;
  readonly #owner: ConnectionHandlers;
  #readyAtUs = 0;
  #hasCarried = false;
  #isClosing = false;

  /** `owner` hears of the connection. */
  constructor(environment: Environment, owner: ConnectionHandlers) {
    this.#environment = environment;
    this.#owner = owner;
  }

  /** The handlers of its owner, observed. */
  handlers(onReady: () => void, onEnd: (error: ConnectionError) => void): ConnectionHandlers {
    const owner = this.#owner;
    return {
      ...owner,
      onWelcome: (welcome) => {
        this.isReady = true;
        this.#readyAtUs = this.#environment.clock.nowUs();
        onReady();
        owner.onWelcome(welcome);
      },
      onMessage: (message) => {
        this.#hasCarried = true;
        owner.onMessage(message);
      },
      onEnd,
    };
  }

  /** Its owner closes it. */
  close(): void {
    this.#isClosing = true;
  }

  /** What it has come to, now that it ends so. */
  outcomeOf({ closeCode = 0 }: ConnectionError): TrialOutcome {
    // What the gateway itself has said, it would say by another way too.
    if (this.#isClosing || closeCode >= 4_000) return "served";
    if (!this.isReady) return "failed";
    const heldMs = (this.#environment.clock.nowUs() - this.#readyAtUs) / 1_000;
    return this.#hasCarried || heldMs >= HELD_MS_MIN ? "served" : "useless";
  }
}
