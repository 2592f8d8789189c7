import type { ServiceState, StatePage, StateQuery, StateRows } from "#core/state-page.ts";
import { shardText } from "#publish/leadership/partition.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import type { CandleDesk } from "./candles/candle-desk.ts";
import type { ConsolidatedDesk } from "./consolidated/consolidated-desk.ts";
import type { MarketReader } from "./reading/market-reader.ts";

/** What a deriver is made of, as far as operators see it. */
type DerivedParts = {
  readonly publisherId: string;
  readonly counters: PublisherCounters;
  readonly reader: MarketReader;
  /** Undefined if none are made. */
  readonly candles: CandleDesk | undefined;
  readonly consolidated: ConsolidatedDesk;
};

/** What operators see of a deriver. */
export function createDeriveState(parts: DerivedParts): ServiceState {
  const { publisherId, counters, reader, candles, consolidated } = parts;
  const summary = (): Promise<object> => {
    const { events, batches, bytes } = counters;
    const made = {
      candleInstruments: candles?.instruments ?? 0,
      consolidatedInstruments: consolidated.instruments,
      sources: consolidated.sources,
    };
    return Promise.resolve({
      publisherId,
      topicsRead: reader.topics,
      topicsLive: reader.topicsLive,
      ...made,
      events,
      batches,
      bytes,
    });
  };
  return { name: "derive", summary, pages: new Map([["derived", derivedPage(parts)]]) };
}

/** `derived`: each venue that is made here, and who publishes it. */
function derivedPage({ candles, consolidated }: DerivedParts): StatePage {
  const answer = ({ limit, after }: StateQuery): Promise<StateRows> => {
    const venues = [...(candles?.venues ?? []), consolidated.venue]
      .filter(({ venue }) => venue > after)
      .toSorted((one, other) => (one.venue < other.venue ? -1 : 1));
    const shown = venues.slice(0, limit);
    const rows = shown.map(({ venue, instruments, publication }) => ({
      venue,
      instruments,
      shard: shardText(publication.partition),
      role: publication.state,
      epoch: publication.publisher.epoch,
    }));
    const next = venues.length > shown.length ? (shown.at(-1)?.venue ?? "") : "";
    return Promise.resolve({ rows, next });
  };
  return { parameters: new Map(), answer };
}
