import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { VenueRest } from "../feed/rest/venue-rest.ts";
import type { VenueContext } from "../feed/venue-context.ts";
import { settleClashes } from "../reading/listed-instruments.ts";
import { InstrumentLists } from "./instrument-lists.ts";
import type { ListPage } from "./instrument-lists.ts";
import { ListedMarket } from "./listed-market.ts";
import type { VenueList } from "./listed-market.ts";
import type { SaidState } from "./market-states.ts";
import type { VenueCounters } from "./venue-counters.ts";

type VenueMarketOptions = VenueContext & {
  readonly rest: VenueRest;
  /** Mean time between two readings of the lists; 0 reads them once. */
  readonly intervalMs: number;
  /** The venue's list says this of an instrument that is in the catalog. */
  readonly onState: (instrument: Instrument, said: SaidState) => void;
  readonly counters: Pick<VenueCounters, "listsDoubted" | "instrumentsEnded">;
  /** Details of these have changed. */
  readonly onUpdated: (instruments: readonly Instrument[]) => void;
  /** They are in the catalog no more. */
  readonly onGone: (instruments: readonly Instrument[], reason: EndReason) => void;
  /** The catalog has what the lists say. `complete` once all have been read. */
  readonly onListed: (state: { readonly complete: boolean }) => void;
};

/** Why an instrument has ended. */
export type EndReason = "delisted" | "renamed";

/**
 * The instruments of a venue: reads its lists round by round, and keeps the catalog as they say.
 * What is missing in an answer is not gone at once; see `ListedMarket`.
 */
export class VenueMarket {
  readonly #options: VenueMarketOptions;
  readonly #catalog: InstrumentCatalog;
  readonly #market: ListedMarket;
  readonly #lists: InstrumentLists;
  /** Pages that have come since the last round ended. */
  #pages: ListPage[] = [];

  constructor(options: VenueMarketOptions) {
    this.#options = options;
    this.#catalog = options.catalog;
    this.#market = new ListedMarket(options.policy);
    this.#lists = new InstrumentLists({
      ...options,
      intervalMs: this.#intervalMs(),
      onPage: (page) => this.#pages.push(page),
      onReady: ({ complete }) => this.#onRound(complete),
    });
  }

  start(): void {
    this.#lists.start();
  }

  /** The venue said that its list has changed. Many such words in a row cost one reading. */
  listAgain(): void {
    this.#lists.again(this.#options.policy.instrumentsHintMs);
  }

  /** The venue said by itself that an instrument has ended. */
  end(instrument: Instrument): void {
    this.#market.forget(instrument);
    this.#end([instrument], "delisted");
  }

  /** Idempotent. */
  close(): void {
    this.#lists.close();
  }

  /** The venue's budget for REST has to last for everything else. */
  #intervalMs(): number {
    const { adapter, endpoints, policy, intervalMs } = this.#options;
    if (intervalMs === 0) return 0;
    const { count, intervalMs: budgetMs } = adapter.limits.restWeight;
    let weight = 0;
    for (const request of adapter.instrumentsRequests(endpoints)) weight += request.weight;
    return Math.max(intervalMs, ((weight / count) * budgetMs) / policy.instrumentsBudgetPart);
  }

  #onRound(complete: boolean): void {
    const { clock, policy, logger, adapter, onListed } = this.#options;
    const pages = this.#pages;
    this.#pages = [];
    const lists = wholeLists(pages);
    const nowUs = clock.monotonicUs();
    let isDoubted = false;
    const gone: Instrument[] = [];
    for (const list of lists) {
      const verdict = this.#market.take(list, nowUs);
      isDoubted ||= verdict.isDoubted;
      gone.push(...verdict.gone);
    }
    this.#end(
      gone.flatMap((each) => this.#known(each) ?? []),
      "delisted",
    );
    const counts = this.#list(settleClashes(lists.flatMap(({ instruments }) => instruments)));
    for (const paused of lists.flatMap((list) => list.paused)) {
      const known = this.#known(paused);
      if (known !== undefined) this.#tellState(known, paused);
    }
    const skipped = pages.reduce((sum, page) => sum + page.skipped, 0);
    const fields = { venue: adapter.venue, ...counts, gone: gone.length, skipped };
    if (counts.added + counts.updated + gone.length > 0) logger.info(fields, "instruments listed");
    const isEmpty = complete && this.#catalog.size === 0;
    if (isDoubted || isEmpty) {
      this.#options.counters.listsDoubted += 1;
      logger.warn({ venue: adapter.venue, listed: this.#market.size }, DOUBTED);
      this.#lists.again(policy.listDoubtMs);
    }
    onListed({ complete: complete && !isEmpty });
  }

  /** Brings the catalog to what is listed. */
  #list(listed: readonly Instrument[]): { added: number; updated: number; rejected: number } {
    const counts = { added: 0, updated: 0, rejected: 0 };
    const changed: Instrument[] = [];
    for (const next of listed) {
      this.#endRenamed(next);
      const known = this.#catalog.bySymbol(next.symbol);
      // What its state is, is told apart from its details.
      const { state: _state, stateWord: _word, ...details } = next;
      const { added, updated, rejected } = this.#catalog.add([
        known === undefined ? next : details,
      ]);
      counts.added += added;
      counts.updated += updated;
      counts.rejected += rejected;
      const instrument = rejected > 0 ? undefined : this.#catalog.bySymbol(next.symbol);
      if (instrument === undefined) continue;
      if (updated > 0) changed.push(instrument);
      this.#tellState(instrument, next);
    }
    if (changed.length > 0) this.#options.onUpdated(changed);
    return counts;
  }

  /**
   * One of its two names was that of an instrument that has both no more: that one has ended. Where
   * that one is listed all the same, the two have a clash, and the catalog refuses the new one.
   */
  #endRenamed(next: Instrument): void {
    const byName = this.#known(next);
    const bySymbol = this.#catalog.bySymbol(next.symbol);
    if (byName === bySymbol) return;
    if (bySymbol !== undefined) {
      if (!this.#market.isMissing(bySymbol)) return;
      this.#market.forget(bySymbol);
    }
    this.#end(
      [byName, bySymbol].filter((each) => each !== undefined),
      "renamed",
    );
  }

  #tellState(instrument: Instrument, { state, stateWord: word }: Instrument): void {
    if (state !== undefined) this.#options.onState(instrument, { state, word });
  }

  #end(instruments: readonly Instrument[], reason: EndReason): void {
    const ended = instruments.filter((instrument) => this.#catalog.remove(instrument));
    this.#options.counters.instrumentsEnded += ended.length;
    if (ended.length > 0) this.#options.onGone(ended, reason);
  }

  /** The one in the catalog that the venue calls so. */
  #known({ venueSymbol, venueMarket }: Instrument): Instrument | undefined {
    return this.#catalog.byVenueSymbol(venueSymbol, venueMarket);
  }
}

const DOUBTED = "a list of instruments lacks too much to be believed at once";

/** The pages of each list together. A list whose end has not come is not whole. */
function wholeLists(pages: readonly ListPage[]): VenueList[] {
  const indexes = new Set(pages.map(({ list }) => list));
  return [...indexes].map((list) => {
    const own = pages.filter((page) => page.list === list);
    return {
      list,
      instruments: own.flatMap((page) => page.instruments),
      paused: own.flatMap((page) => page.paused ?? []),
      isWhole: own.some((page) => page.isLast),
    };
  });
}
