import type { MarketEvent } from "#core/market-event.ts";
import type { TopicRecord } from "./topic-record.ts";

/**
 * The topics of one instrument. Those of all instruments have one shape in memory, so that the
 * topic of a tick is found without a look at its name.
 */
export type InstrumentTopics = Record<MarketEvent["kind"], TopicRecord | undefined>;

/** Of an instrument of which nothing was published yet. */
export function noTopics(): InstrumentTopics {
  return {
    trade: undefined,
    quote: undefined,
    book: undefined,
    candle: undefined,
    ticker: undefined,
    funding: undefined,
    "mark-price": undefined,
    "open-interest": undefined,
    liquidation: undefined,
    status: undefined,
    listing: undefined,
  };
}

/** Those that there are. */
export function topicsIn(topics: InstrumentTopics): readonly TopicRecord[] {
  return Object.values(topics).filter((topic) => topic !== undefined);
}
