import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import { addressKey } from "../../transport/admission.ts";
import { errorAnswer } from "../../transport/http-answer.ts";
import type { HttpBytes, HttpResponse } from "../../transport/transport.ts";
import type { PollBox } from "./poll-box.ts";

/** A session that lives between the polls of its client. */
export type PollSession = {
  readonly token: string;
  readonly remoteAddress: string;
  /** The id of the principal that it was made for, and who alone may poll it. */
  readonly owner: string;
  readonly box: PollBox;
  /** What the client asked for; with other wishes it gets another session. */
  readonly wishes: string;
};

type PollSessionsLimits = {
  readonly pollSessionsMax: number;
  readonly pollSessionsPerAddressMax: number;
};

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

  /** Why the address gets no further session; undefined if it does. Counted. */
  refusal(remoteAddress: string): HttpResponse<HttpBytes> | undefined {
    const limit = this.#exceeded(remoteAddress);
    if (limit === undefined) return undefined;
    this.#metrics.limitsExceeded.inc({ limit });
    const isOwn = limit === "pollSessionsPerAddressMax";
    const whose = isOwn ? "this address has" : "the gateway has";
    const message = `${whose} as many sessions of long polling as are allowed (${limit})`;
    const code = isOwn ? "resource_exhausted" : "unavailable";
    return errorAnswer(isOwn ? 429 : 503, code, message, { "retry-after": "5" });
  }

  #exceeded(remoteAddress: string): keyof PollSessionsLimits | undefined {
    const { pollSessionsMax, pollSessionsPerAddressMax } = this.#limits;
    const ofAddress = this.#byAddress.get(addressKey(remoteAddress)) ?? 0;
    if (ofAddress >= pollSessionsPerAddressMax) return "pollSessionsPerAddressMax";
    return this.#byToken.size >= pollSessionsMax ? "pollSessionsMax" : undefined;
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
