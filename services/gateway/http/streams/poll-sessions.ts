import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import { addressKey } from "../../transport/admission.ts";
import type { PollBox } from "./poll-box.ts";

/** A session that lives between the polls of its client. */
export type PollSession = {
  readonly token: string;
  readonly remoteAddress: string;
  readonly box: PollBox;
  /** What the client asked for; with other wishes it gets another session. */
  readonly wishes: string;
};

type PollSessionsLimits = {
  readonly pollSessionsMax: number;
  readonly pollSessionsPerAddressMax: number;
};

/** Why there is no room for one more session. */
type PollSessionsLimit = keyof PollSessionsLimits;

/**
 * The sessions of this gateway that are polled. They hold no socket while nobody polls them, so
 * what limits sockets does not limit them.
 */
export class PollSessions {
  readonly #limits: PollSessionsLimits;
  readonly #metrics: Pick<GatewayMetrics, "pollSessions" | "limitsExceeded">;
  readonly #byToken = new Map<string, PollSession>();
  readonly #byAddress = new Map<string, number>();

  constructor(
    limits: PollSessionsLimits,
    metrics: Pick<GatewayMetrics, "pollSessions" | "limitsExceeded">,
  ) {
    this.#limits = limits;
    this.#metrics = metrics;
  }

  get(token: string): PollSession | undefined {
    return this.#byToken.get(token);
  }

  /** The limit that keeps one more session of the address out; counted if there is one. */
  exceeded(remoteAddress: string): PollSessionsLimit | undefined {
    const { pollSessionsMax, pollSessionsPerAddressMax } = this.#limits;
    const ofAddress = this.#byAddress.get(addressKey(remoteAddress)) ?? 0;
    const limit =
      ofAddress >= pollSessionsPerAddressMax
        ? "pollSessionsPerAddressMax"
        : this.#byToken.size >= pollSessionsMax
          ? "pollSessionsMax"
          : undefined;
    if (limit !== undefined) this.#metrics.limitsExceeded.inc({ limit });
    return limit;
  }

  add(session: PollSession): void {
    assert(!this.#byToken.has(session.token), "the token of a session is its own");
    const key = addressKey(session.remoteAddress);
    this.#byToken.set(session.token, session);
    this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1);
    this.#metrics.pollSessions.set(this.#byToken.size);
  }

  /** The session is over. Idempotent. */
  remove(token: string): void {
    const session = this.#byToken.get(token);
    if (session === undefined) return;
    const key = addressKey(session.remoteAddress);
    const left = (this.#byAddress.get(key) ?? 0) - 1;
    this.#byToken.delete(token);
    if (left > 0) this.#byAddress.set(key, left);
    else this.#byAddress.delete(key);
    this.#metrics.pollSessions.set(this.#byToken.size);
  }
}
