import type { Client, Instrument, Subscription } from "@tickwire/client";
import { marketOf, type Market } from "./market-rows.ts";
import { followedTickers } from "./ticker-budget.ts";

const TICKER_INTERVAL_MS = 500;
const LIST_PAGES_MAX = 1_000;
/** Where nobody has chosen a market, one of this asset is shown. */
const FIRST_BASE = "BTC";
const FIRST_PAGE_SIZE = 50;

type Listeners = {
  /** A page of the list has come; `isWhole` with the last one. */
  readonly onList: (isWhole: boolean) => void;
  readonly onTicker: () => void;
  /** Whether a market stays although its venue does not list it any more: somebody looks at it. */
  readonly isKept: (topic: string) => boolean;
  /** A market that was kept is listed again. */
  readonly onRelisted: (topic: string) => void;
  /** Why the list, or tickers of it, cannot be had; undefined once they can. */
  readonly onProblem: (error: Error | undefined) => void;
};

/** Every instrument of every venue, and the tickers of as many as a session may follow. */
export class MarketDirectory {
  /** By `VENUE:SYMBOL`. */
  readonly markets = new Map<string, Market>();
  /** By venue and symbol, so that no text is made for each ticker. */
  readonly #byVenue = new Map<string, Map<string, Market>>();
  readonly #favourites: ReadonlySet<string>;
  readonly #listeners: Listeners;
  /** Not in the last whole list; gone if they are not in the next one either. */
  #missing: ReadonlySet<string> = new Set();
  /** Not listed any more, and kept. */
  readonly #kept = new Set<string>();
  #isLoading = false;
  #tickers: { readonly key: string; close(): void } | undefined;
  /** Of the market that is shown: it does not wait for all the others. */
  #shown: { readonly topic: string; close(): void } | undefined;

  constructor(favourites: ReadonlySet<string>, listeners: Listeners) {
    this.#favourites = favourites;
    this.#listeners = listeners;
  }

  get venues(): readonly string[] {
    return [...this.#byVenue.keys()];
  }

  /**
   * The market that is wanted first, which may be on a late page of the list, or some to choose
   * from. False if there is none of them.
   */
  async loadFirst(client: Client, topic: string): Promise<boolean> {
    const found = await this.#askFirst(client, topic);
    for (const instrument of found) this.#add(marketOf(instrument));
    if (found.length > 0) this.#listeners.onList(false);
    return found.length > 0;
  }

  /** Asks for the list, page by page; a failure is told, and tried again with the next call. */
  async load(client: Client): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      const listed = new Set<string>();
      let pageToken = "";
      for (let page = 0; page < LIST_PAGES_MAX; page += 1) {
        const answer = await client.rpc.listInstruments({ pageToken });
        for (const instrument of answer.instruments) {
          const market = marketOf(instrument);
          listed.add(market.topic);
          this.#add(market);
        }
        const isLast = answer.nextPageToken === undefined;
        if (isLast) this.#drop(listed);
        this.#listeners.onProblem(undefined);
        this.#listeners.onList(isLast);
        if (answer.nextPageToken === undefined) break;
        pageToken = answer.nextPageToken;
      }
      this.#followTickers(client);
    } catch (error) {
      this.#listeners.onProblem(error as Error);
    } finally {
      this.#isLoading = false;
    }
  }

  /** The one that is shown comes before the others. */
  followShown(client: Client, market: Market): void {
    const { topic, instrument } = market;
    if (this.#shown?.topic === topic || !instrument.channels.includes("ticker")) return;
    this.#shown?.close();
    const subscription = this.#subscribe(client, [topic], () => {
      this.#shown = undefined;
      this.followShown(client, market);
    });
    this.#shown = { topic, close: () => subscription.close() };
  }

  async #askFirst(client: Client, topic: string): Promise<readonly Instrument[]> {
    const colon = topic.indexOf(":");
    const where = { venue: topic.slice(0, colon), symbol: topic.slice(colon + 1) };
    const some = { base: FIRST_BASE, pageSize: FIRST_PAGE_SIZE };
    try {
      if (colon < 0) return (await client.rpc.listInstruments(some)).instruments;
      const { instrument } = await client.rpc.getInstrument(where);
      return instrument === undefined ? [] : [instrument];
    } catch {
      // What is wrong, with this market or with all, the list tells.
      return [];
    }
  }

  #add(market: Market): void {
    const { venue, symbol } = market.instrument;
    let symbols = this.#byVenue.get(venue);
    if (symbols === undefined) {
      symbols = new Map();
      this.#byVenue.set(venue, symbols);
    }
    const ticker = symbols.get(symbol)?.ticker;
    const kept = ticker === undefined ? market : { ...market, ticker };
    symbols.set(symbol, kept);
    this.markets.set(market.topic, kept);
  }

  /**
   * Lets go of what two lists in a row did not have: a gateway that has just started may not know
   * all of its venues yet.
   */
  #drop(listed: ReadonlySet<string>): void {
    const missing = [...this.markets.keys()].filter((topic) => !listed.has(topic));
    for (const topic of missing) {
      if (!this.#missing.has(topic)) continue;
      if (this.#listeners.isKept(topic)) this.#kept.add(topic);
      else this.#remove(topic);
    }
    this.#missing = new Set(missing);
    for (const topic of this.#kept) {
      if (!listed.has(topic)) continue;
      this.#kept.delete(topic);
      this.#listeners.onRelisted(topic);
    }
  }

  #remove(topic: string): void {
    const market = this.markets.get(topic);
    if (market === undefined) return;
    const { venue, symbol } = market.instrument;
    this.markets.delete(topic);
    this.#kept.delete(topic);
    const symbols = this.#byVenue.get(venue);
    symbols?.delete(symbol);
    if (symbols?.size === 0) this.#byVenue.delete(venue);
  }

  #followTickers(client: Client): void {
    const having = [...this.markets.values()].filter(({ instrument }) =>
      instrument.channels.includes("ticker"),
    );
    const topics = followedTickers(
      having.map(({ topic }) => topic),
      this.#favourites,
    );
    const key = topics.join(" ");
    if (topics.length === 0 || this.#tickers?.key === key) return;
    this.#tickers?.close();
    const subscription = this.#subscribe(client, topics, () => {
      this.#tickers = undefined;
      this.#followTickers(client);
    });
    this.#tickers = { key, close: () => subscription.close() };
  }

  /** `onOverflow` is called if this window took nothing for so long that it was given up. */
  #subscribe(client: Client, topics: readonly string[], onOverflow: () => void): Subscription {
    return client.onTicker(
      topics,
      (ticker) => {
        const market = this.#byVenue.get(ticker.venue)?.get(ticker.symbol);
        if (market === undefined || market.ticker === ticker) return;
        market.ticker = ticker;
        this.#listeners.onTicker();
      },
      {
        conflationIntervalMs: TICKER_INTERVAL_MS,
        onError: (error) => {
          if (error.code === "buffer-overflow") onOverflow();
          else this.#listeners.onProblem(error);
        },
      },
    );
  }
}
