import type { Client, InstrumentState, Quote, Subscription, Ticker } from "@tickwire/client";
import type { Market } from "./market-rows.ts";
import { MarketStates } from "./market-states.ts";

const QUOTE_INTERVAL_MS = 250;

/** Orders do not match then, so that nobody gets these prices. */
const STOPPED: ReadonlySet<InstrumentState> = new Set([
  "halted",
  "maintenance",
  "pre-open",
  "auction",
  "cancel-only",
  "settling",
  "closed",
  "delisted",
]);

/** What a venue bids and asks; a side that is empty has no price. */
export type BestPrices = {
  readonly bidPrice: number | undefined;
  readonly bidPriceText: string | undefined;
  readonly askPrice: number | undefined;
  readonly askPriceText: string | undefined;
};

/**
 * The best prices of the markets that are compared. Quotes come with each change, tickers at an
 * interval of the venue's own, so that these are for who has no quotes.
 */
export class VenueQuotes {
  readonly #onChange: () => void;
  readonly #states: MarketStates;
  readonly #quotes = new Map<string, Quote>();
  #key = "";
  #subscription: Subscription | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#states = new MarketStates(onChange);
  }

  /** Follows these markets and no others. */
  follow(client: Client, markets: readonly Market[]): void {
    const all = markets.map(({ topic }) => topic);
    this.#states.follow(client, all);
    const topics = markets
      .filter(({ instrument }) => instrument.channels.includes("quotes"))
      .map(({ topic }) => topic);
    const key = topics.join(" ");
    if (key === this.#key) return;
    this.#subscription?.close();
    this.#subscription = undefined;
    this.#key = key;
    this.#quotes.clear();
    if (topics.length === 0) return;
    this.#subscription = client.onQuotes(
      topics,
      (quote) => {
        this.#quotes.set(`${quote.venue}:${quote.symbol}`, quote);
        this.#onChange();
      },
      {
        conflationIntervalMs: QUOTE_INTERVAL_MS,
        // Without quotes there is what tickers say; a window that slept asks anew.
        onError: ({ code }) => {
          this.#quotes.clear();
          if (code === "buffer-overflow") this.#key = "";
          this.#onChange();
        },
      },
    );
  }

  pricesOf({ topic, ticker }: Market): BestPrices {
    const quote = this.#quotes.get(topic);
    return quote === undefined ? pricesOfTicker(ticker) : pricesOfQuote(quote);
  }

  /** Why a market's prices are not compared with the others; undefined if they are. */
  asideReasonOf(market: Market): string | undefined {
    const { topic, instrument } = market;
    const channel = instrument.channels.includes("quotes") ? "quotes" : "ticker";
    const state = this.#states.channelStateOf(topic, channel);
    if (state !== undefined && state !== "live" && state !== "syncing") return state;
    const trading = this.#states.instrumentStateOf(topic) ?? instrument.state;
    if (trading !== undefined && STOPPED.has(trading)) return trading;
    const { bidPrice, askPrice } = this.pricesOf(market);
    const isCrossed = bidPrice !== undefined && askPrice !== undefined && bidPrice > askPrice;
    return isCrossed ? "crossed" : undefined;
  }
}

function pricesOfQuote(quote: Quote): BestPrices {
  const [hasBid, hasAsk] = [quote.bidSize > 0, quote.askSize > 0];
  return {
    bidPrice: hasBid ? quote.bidPrice : undefined,
    bidPriceText: hasBid ? quote.bidPriceText : undefined,
    askPrice: hasAsk ? quote.askPrice : undefined,
    askPriceText: hasAsk ? quote.askPriceText : undefined,
  };
}

function pricesOfTicker(ticker: Ticker | undefined): BestPrices {
  const { bidPrice, bidPriceText, askPrice, askPriceText } = ticker ?? {};
  return { bidPrice, bidPriceText, askPrice, askPriceText };
}
