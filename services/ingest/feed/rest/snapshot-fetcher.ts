import { quotedText } from "#core/visible-text.ts";
import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { StatusReason } from "#core/status-reason.ts";
import type { VenueContext } from "../venue-context.ts";
import { RequestPacer } from "./request-pacer.ts";
import type { RestAnswer, RestClient } from "./rest-client.ts";

/** What one request for a book snapshot brings about. */
type SnapshotConsumer = {
  /** An answer with status 200. False if there was no book of the instrument in it. */
  deliver(answer: RestAnswer): boolean;
  /** Tried too often; the next try is after the cool-down. */
  unavailable(reason: StatusReason): void;
};

type SnapshotFetcherOptions = VenueContext & {
  readonly restClient: RestClient;
  readonly counters: SnapshotCounters;
  /** The REST budget of our address; one of the venue's own if absent. */
  readonly pacer?: RequestPacer;
};

/** Counts that the fetcher keeps up to date; shared with the metrics. */
export type SnapshotCounters = {
  snapshotsRequested: number;
  snapshotsDelivered: number;
  snapshotsFailed: number;
  rateLimited: number;
  banned: number;
};

type Pending = {
  readonly instrument: Instrument;
  consumer: SnapshotConsumer;
  /** Requests since the last one that lasted. */
  attempt: number;
  /** Waiting for a timer, for the pacer or for the venue; or none of them. */
  state: "idle" | "waiting" | "queued" | "sent" | "delivering";
  again: boolean;
  deliveredUs: number;
  cancelTimer: CancelTimer | undefined;
};

/**
 * Book snapshots over REST for one venue, whatever the number of connections: one request per
 * instrument at a time, all within the venue's budget, each failure followed by a longer wait. A
 * 429 pauses the venue for as long as it wishes, a 418 (banned) likewise; nothing at all is asked
 *   meanwhile.
 */
export class SnapshotFetcher {
  readonly #options: SnapshotFetcherOptions;
  readonly #pacer: RequestPacer;
  readonly #pending = new Map<Instrument, Pending>();
  #closed = false;

  constructor(options: SnapshotFetcherOptions) {
    this.#options = options;
    const { clock, policy, adapter } = options;
    const limit = adapter.limits.restWeight;
    const waitingMax = policy.snapshotsWaitingMax;
    this.#pacer = options.pacer ?? new RequestPacer({ limit, clock, waitingMax });
  }

  /** The venue's REST budget, shared with every other REST request to it. */
  get pacer(): RequestPacer {
    return this.#pacer;
  }

  /**
   * Asks for a snapshot. Does nothing but remember the consumer if one is on its way; called while
   * one is delivered (it was too old), it is asked for again after a wait.
   */
  request(instrument: Instrument, consumer: SnapshotConsumer): void {
    if (this.#closed) return;
    const pending = this.#pendingOf(instrument, consumer);
    pending.consumer = consumer;
    if (pending.state === "delivering") pending.again = true;
    if (pending.state !== "idle") return;
    const stableUs = this.#options.policy.bookStableMs * 1000;
    if (this.#options.clock.monotonicUs() - pending.deliveredUs > stableUs) pending.attempt = 0;
    this.#schedule(pending);
  }

  /** Forgets a request that has not been sent, and the answer to one that has. */
  cancel(instrument: Instrument): void {
    const pending = this.#pending.get(instrument);
    if (pending === undefined) return;
    pending.cancelTimer?.();
    this.#pending.delete(instrument);
  }

  /** Instruments whose snapshot is being waited for. */
  get pendingCount(): number {
    let count = 0;
    for (const pending of this.#pending.values()) if (pending.state !== "idle") count += 1;
    return count;
  }

  close(): void {
    this.#closed = true;
    for (const pending of this.#pending.values()) pending.cancelTimer?.();
    this.#pending.clear();
  }

  #pendingOf(instrument: Instrument, consumer: SnapshotConsumer): Pending {
    let pending = this.#pending.get(instrument);
    if (pending === undefined) {
      pending = {
        instrument,
        consumer,
        attempt: 0,
        state: "idle",
        again: false,
        deliveredUs: Number.NEGATIVE_INFINITY,
        cancelTimer: undefined,
      };
      this.#pending.set(instrument, pending);
    }
    return pending;
  }

  /** The first request goes at once; those after it wait for longer and longer. */
  #schedule(pending: Pending): void {
    const { policy, random } = this.#options;
    if (pending.attempt >= policy.snapshotAttemptsMax) {
      pending.attempt = 0;
      this.#wait(pending, policy.snapshotCooldownMs);
      pending.consumer.unavailable("snapshot-unavailable");
      return;
    }
    const attempt = pending.attempt;
    pending.attempt += 1;
    if (attempt === 0) {
      this.#queue(pending);
      return;
    }
    const delayMs = backoffDelayMs({
      attempt: attempt - 1,
      limits: { baseMs: policy.snapshotBackoffBaseMs, maxMs: policy.snapshotBackoffMsMax },
      random,
    });
    // An answer that came too early will not be newer without any wait.
    this.#wait(pending, Math.max(delayMs, policy.snapshotBackoffBaseMs / 2));
  }

  #wait(pending: Pending, delayMs: number): void {
    pending.state = "waiting";
    pending.cancelTimer = this.#options.clock.after(delayMs, () => {
      if (pending.attempt === 0) pending.attempt = 1;
      this.#queue(pending);
    });
  }

  #queue(pending: Pending): void {
    const { adapter, endpoints } = this.#options;
    const request = adapter.snapshotRequest?.(pending.instrument, endpoints);
    if (request === undefined) {
      pending.state = "idle";
      return;
    }
    pending.state = "queued";
    const accepted = this.#pacer.submit(request.weight, () => {
      if (this.#closed || this.#pending.get(pending.instrument) !== pending) return;
      pending.state = "sent";
      this.#options.counters.snapshotsRequested += 1;
      this.#options.restClient.get(
        request,
        (answer) => this.#onAnswer(pending, answer),
        (reason) => this.#onFailure(pending, reason),
      );
    });
    if (!accepted) this.#schedule(pending);
  }

  #onAnswer(pending: Pending, answer: RestAnswer): void {
    if (this.#closed) return;
    this.noteLimits(answer);
    if (this.#pending.get(pending.instrument) !== pending) return;
    if (answer.status !== 200) {
      this.#onFailure(pending, `status ${answer.status}`);
      return;
    }
    pending.state = "delivering";
    pending.again = false;
    const found = pending.consumer.deliver(answer);
    // A consumer may have cancelled from within.
    if (this.#pending.get(pending.instrument) !== pending) return;
    pending.state = "idle";
    if (!found) {
      this.#onFailure(pending, "no book in the answer");
      return;
    }
    this.#options.counters.snapshotsDelivered += 1;
    pending.deliveredUs = this.#options.clock.monotonicUs();
    if (pending.again) this.#schedule(pending);
  }

  #onFailure(pending: Pending, reason: string): void {
    if (this.#closed || this.#pending.get(pending.instrument) !== pending) return;
    this.#options.counters.snapshotsFailed += 1;
    const { venue, venueSymbol } = pending.instrument;
    this.#options.logger.warn(
      { venue, venueSymbol, reason, attempt: pending.attempt },
      "snapshot failed",
    );
    this.#schedule(pending);
  }

  /**
   * Every REST answer of the venue is to be shown here: one that says that we ask too much, or that
   * it does not want to be asked from here, pauses all requests to it.
   */
  noteLimits(answer: RestAnswer): void {
    const { status, body } = answer;
    if (status !== 429 && !BANNING.has(status)) return;
    const { policy, clock, counters, logger, adapter } = this.#options;
    const banned = status !== 429;
    if (banned) counters.banned += 1;
    else counters.rateLimited += 1;
    // A wish of nothing, such as a date that has passed, is as good as none.
    const wishMs = answer.retryAfterMs ?? banEndMs(body) - clock.nowUs() / 1000;
    const defaultMs = banned ? policy.bannedPauseMs : policy.rateLimitedPauseMs;
    const pauseMs = Math.min(wishMs > 0 ? wishMs : defaultMs, policy.restPauseMsMax);
    this.#pacer.pauseUntil(clock.monotonicUs() + pauseMs * 1000);
    const words = quotedText(body);
    logger.warn({ venue: adapter.venue, status, pauseMs, words }, "venue pauses REST");
  }
}

/** Banned, forbidden (which some say for too many requests), and not to be served where we are. */
const BANNING: ReadonlySet<number> = new Set([418, 403, 451]);

/** When a ban ends, in milliseconds since 1970, where the venue's words say it; 0 if not. */
function banEndMs(body: string): number {
  return Number(/\buntil (\d{13})\b/.exec(body)?.[1] ?? 0);
}
