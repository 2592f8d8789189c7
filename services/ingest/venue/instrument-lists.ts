import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { RestRequest } from "../feed/feed-adapter.ts";
import type { VenueRest } from "../feed/rest/venue-rest.ts";
import type { RestAnswer } from "../feed/rest/rest-client.ts";
import type { VenueContext } from "../feed/venue-context.ts";

type InstrumentListsOptions = VenueContext & {
  readonly rest: VenueRest;
  /** One page of a list. */
  readonly onPage: (page: {
    readonly instruments: readonly Instrument[];
    readonly skipped: number;
  }) => void;
  /**
   * Every list was read or put off; called again when one that was put off has come. `complete`
   * once no list is missing.
   */
  readonly onReady: (state: { readonly complete: boolean }) => void;
};

type List = { request: RestRequest; pages: number; attempts: number };

/**
 * Fetches a venue's lists of instruments, one after the other, page by page. What fails is tried
 * again, for as long as it takes, with growing waits; but a list that fails too often is put behind
 * the others, which then start without it.
 */
export class InstrumentLists {
  readonly #options: InstrumentListsOptions;
  /** Still to be asked for; the first one is being asked for. */
  readonly #waiting: List[] = [];
  /** Failed too often: asked for again once the others are there. */
  readonly #late: List[] = [];
  /** Something was listed since `onReady` was called. */
  #hasNews = false;
  #cancelRetry: CancelTimer | undefined;
  #closed = false;

  constructor(options: InstrumentListsOptions) {
    this.#options = options;
  }

  start(): void {
    const { adapter, rest } = this.#options;
    const requests = adapter.instrumentsRequests(rest.endpoints);
    this.#waiting.push(...requests.map((request) => ({ request, pages: 0, attempts: 0 })));
    this.#next();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
  }

  #next(): void {
    const list = this.#waiting[0];
    if (list !== undefined) {
      this.#ask(list);
      return;
    }
    const complete = this.#late.length === 0;
    if (this.#hasNews || complete) {
      this.#hasNews = false;
      this.#options.onReady({ complete });
    }
    if (this.#closed || complete) return;
    const attempts = Math.min(...this.#late.map((late) => late.attempts));
    this.#after(attempts, () => {
      this.#waiting.push(...this.#late.splice(0));
      this.#next();
    });
  }

  #ask(list: List): void {
    const { rest } = this.#options;
    const { request } = list;
    rest.ask(request, {
      onAnswer: (answer) => this.#onAnswer(list, answer),
      onFailure: (reason) => this.#onFailure(list, reason),
    });
  }

  #onAnswer(list: List, answer: RestAnswer): void {
    if (this.#closed) return;
    const { adapter, policy, logger, onPage } = this.#options;
    const { request } = list;
    const page = adapter.parseInstruments(answer.body, request.url);
    if (page === undefined) {
      this.#onFailure(list, "no list in the answer");
      return;
    }
    onPage(page);
    this.#hasNews = true;
    list.pages += 1;
    list.attempts = 0;
    const next = adapter.nextInstrumentsRequest?.(request, answer.body);
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
      this.#late.push(list);
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
