import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { RestRequest } from "../feed/feed-adapter.ts";
import type { VenueRest } from "../feed/rest/venue-rest.ts";
import type { RestAnswer } from "../feed/rest/rest-client.ts";
import type { VenueContext } from "../feed/venue-context.ts";

/** One page of a list. */
export type ListPage = {
  /** Which of the venue's lists it is of: its place among `instrumentsRequests`. */
  readonly list: number;
  readonly instruments: readonly Instrument[];
  readonly skipped: number;
  readonly paused?: readonly Instrument[];
  /** The list has been read to its end. Absent on all pages of one that has too many. */
  readonly isLast: boolean;
};

type InstrumentListsOptions = VenueContext & {
  readonly rest: VenueRest;
  readonly onPage: (page: ListPage) => void;
  /**
   * Every list was read or put off; called again when one that was put off has come. `complete`
   * once no list is missing. When all are listed again, what fails is left out.
   */
  readonly onReady: (state: { readonly complete: boolean }) => void;
  /** Mean time from the end of a round to the next; 0 or undefined if there is none. */
  readonly intervalMs?: number;
};

type List = { readonly index: number; request: RestRequest; pages: number; attempts: number };

/**
 * Fetches a venue's lists of instruments, one after the other, page by page. What fails is tried
 * again, for as long as it takes, with growing waits; but a list that fails too often is put behind
 * the others, which then start without it. Once all are there they are asked for anew, round by
 * round, after everything else that wants the venue's budget.
 */
export class InstrumentLists {
  readonly #options: InstrumentListsOptions;
  /** Still to be asked for; the first one is being asked for. */
  readonly #waiting: List[] = [];
  /** Failed too often: asked for again once the others are there. */
  readonly #late: List[] = [];
  /** Something was listed since `onReady` was called. */
  #hasNews = false;
  #isFirstRound = true;
  #cancelRetry: CancelTimer | undefined;
  #cancelRound: CancelTimer | undefined;
  /** By the clock that is never set; of the next round. */
  #nextRoundUs = Infinity;
  #closed = false;

  constructor(options: InstrumentListsOptions) {
    this.#options = options;
  }

  start(): void {
    const { adapter, rest } = this.#options;
    const requests = adapter.instrumentsRequests(rest.endpoints);
    this.#waiting.push(
      ...requests.map((request, index) => ({ index, request, pages: 0, attempts: 0 })),
    );
    this.#next();
  }

  /** The next round begins after this time, if it would not before. No round is added to one. */
  again(delayMs: number): void {
    const { clock } = this.#options;
    if (this.#closed || this.#isFirstRound) return;
    const dueUs = clock.monotonicUs() + delayMs * 1000;
    if (this.#waiting.length > 0 || dueUs >= this.#nextRoundUs) return;
    this.#cancelRound?.();
    this.#nextRoundUs = dueUs;
    this.#cancelRound = clock.after(delayMs, () => {
      this.#nextRoundUs = Infinity;
      this.start();
    });
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelRound?.();
  }

  #next(): void {
    const list = this.#waiting[0];
    if (list !== undefined) {
      this.#ask(list);
      return;
    }
    const complete = this.#late.length === 0;
    const isTold = this.#hasNews || complete;
    this.#hasNews = false;
    if (complete) this.#isFirstRound = false;
    // Whoever is told may want the next round sooner.
    if (complete) this.#scheduleRound();
    if (isTold) this.#options.onReady({ complete });
    if (this.#closed || complete) return;
    const attempts = Math.min(...this.#late.map((late) => late.attempts));
    this.#after(attempts, () => {
      this.#waiting.push(...this.#late.splice(0));
      this.#next();
    });
  }

  /** Not all venues' rounds at once. */
  #scheduleRound(): void {
    const { intervalMs = 0, random } = this.#options;
    if (intervalMs > 0) this.again(intervalMs * (0.75 + random() / 2));
  }

  #ask(list: List): void {
    const { rest } = this.#options;
    const { request } = list;
    rest.ask(
      request,
      {
        onAnswer: (answer) => this.#onAnswer(list, answer),
        onFailure: (reason) => this.#onFailure(list, reason),
      },
      this.#isFirstRound ? "normal" : "background",
    );
  }

  #onAnswer(list: List, answer: RestAnswer): void {
    if (this.#closed) return;
    const { adapter, policy, logger, onPage } = this.#options;
    const { request, index } = list;
    const page = adapter.parseInstruments(answer.body, request.url);
    if (page === undefined) {
      this.#onFailure(list, "no list in the answer");
      return;
    }
    const next = adapter.nextInstrumentsRequest?.(request, answer.body);
    onPage({ ...page, list: index, isLast: next === undefined });
    this.#hasNews = true;
    list.pages += 1;
    list.attempts = 0;
    if (next !== undefined && list.pages < policy.instrumentsPagesMax) {
      list.request = next;
    } else {
      if (next !== undefined) {
        const { pages } = list;
        logger.error({ venue: adapter.venue, pages }, "a list of instruments has too many pages");
      }
      this.#waiting.shift();
    }
    this.#next();
  }

  #onFailure(list: List, reason: string): void {
    if (this.#closed) return;
    const { adapter, policy, logger } = this.#options;
    logger.warn({ venue: adapter.venue, reason }, "instruments could not be listed");
    list.attempts += 1;
    if (list.attempts >= policy.instrumentsAttemptsMax) {
      this.#waiting.shift();
      // Listed before, it is asked for again with the next round.
      if (this.#isFirstRound) this.#late.push(list);
      this.#next();
      return;
    }
    this.#after(list.attempts - 1, () => this.#next());
  }

  #after(attempt: number, callback: () => void): void {
    const { clock, policy, random } = this.#options;
    const delayMs = backoffDelayMs({
      attempt,
      limits: { baseMs: policy.reconnectBackoffBaseMs, maxMs: policy.reconnectBackoffMsMax },
      random,
    });
    this.#cancelRetry = clock.after(delayMs, callback);
  }
}
