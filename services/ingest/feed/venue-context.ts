import type { Clock } from "#core/clock.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Logger } from "#core/logger.ts";
import type { FeedAdapter, FeedEndpoints } from "./feed-adapter.ts";
import type { FeedPolicy } from "./feed-policy.ts";

/**
 * What all parts of one venue's feed share. Their options are this and what is theirs alone, so
 * that it is handed on as a whole: `new RestPoller({ ...context, rest, decoder, counters, sink })`.
 */
export type VenueContext = {
  readonly adapter: FeedAdapter;
  /** The adapter's, with what the configuration puts in their place. */
  readonly endpoints: FeedEndpoints;
  readonly catalog: InstrumentCatalog;
  /** Levels per side that are subscribed. */
  readonly bookDepth: number;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly policy: FeedPolicy;
  readonly logger: Logger;
};
