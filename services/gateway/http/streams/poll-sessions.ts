import { assert } from "#core/assert.ts";
import type { SharedAccounts } from "#core/shared-accounts.ts";
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

/** What the accounts count that threads share. */
const SESSIONS = 0;
const SESSIONS_MAX = 2 ** 30;

/**
 * The sessions of this gateway that are polled. They hold no socket while nobody polls them, so
 * what limits sockets does not limit them.
 */
export class PollSessions {
  readonly #limits: PollSessionsLimits;
  readonly #metrics: Pick<GatewayMetrics, "pollSessions" | "limitsExceeded">;
  readonly #byToken = new Map<string, PollSession>();
  readonly #byAddress = new Map<string, number>();
  /** Those of other threads count as well where they share these accounts. */
  readonly #shared: SharedAccounts | undefined;

  constructor(
    limits: PollSessionsLimits,
    metrics: Pick<GatewayMetrics, "pollSessions" | "limitsExceeded">,
    shared?: SharedAccounts,
  ) {
    this.#limits = limits;
    this.#metrics = metrics;
    this.#shared = shared;
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
    const { ofAddress, inAll } = this.#counts(addressKey(remoteAddress));
    if (ofAddress >= pollSessionsPerAddressMax) return "pollSessionsPerAddressMax";
    return inAll >= pollSessionsMax ? "pollSessionsMax" : undefined;
  }

  #counts(key: string): { readonly ofAddress: number; readonly inAll: number } {
    const shared = this.#shared;
    if (shared === undefined) {
      return { ofAddress: this.#byAddress.get(key) ?? 0, inAll: this.#byToken.size };
    }
    const account = shared.hold(key);
    const inAll = shared.count(shared.all, SESSIONS);
    // There are places for twice as many addresses as there may be sessions.
    if (account < 0) return { ofAddress: 0, inAll: SESSIONS_MAX };
    const ofAddress = shared.count(account, SESSIONS);
    shared.release(account);
    return { ofAddress, inAll };
  }

  /** Counts a session of the address in the accounts of all threads, or one less. */
  #share(key: string, change: 1 | -1): void {
    const shared = this.#shared;
    if (shared === undefined) return;
    const account = shared.hold(key);
    // A session keeps the hold that it was counted with.
    if (change === 1) {
      if (account >= 0) shared.take(account, SESSIONS, 1, SESSIONS_MAX);
      shared.take(shared.all, SESSIONS, 1, SESSIONS_MAX);
      return;
    }
    shared.give(shared.all, SESSIONS, 1);
    if (account < 0) return;
    shared.give(account, SESSIONS, 1);
    shared.release(account);
    shared.release(account);
  }

  add(session: PollSession): void {
    assert(!this.#byToken.has(session.token), "the token of a session is its own");
    const key = addressKey(session.remoteAddress);
    this.#byToken.set(session.token, session);
    this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1);
    this.#share(key, 1);
    this.#metrics.pollSessions.set(this.#byToken.size);
  }

  /** The session is over. Idempotent. */
  remove(token: string): void {
    const session = this.#byToken.get(token);
    if (session === undefined) return;
    const key = addressKey(session.remoteAddress);
    const left = (this.#byAddress.get(key) ?? 0) - 1;
    this.#byToken.delete(token);
    this.#share(key, -1);
    if (left > 0) this.#byAddress.set(key, left);
    else this.#byAddress.delete(key);
    this.#metrics.pollSessions.set(this.#byToken.size);
  }
}
