/** How much an ingestor keeps in memory of what comes in, per venue or per instrument. */
export type IngestLimits = {
  /** Instruments of one venue; more are rejected and counted. */
  readonly instrumentsMax: number;
  /**
   * Book deltas of one instrument while its snapshot is awaited; of more, the oldest are dropped.
   */
  readonly bufferedDeltasMax: number;
  /**
   * Trade ids of one instrument, to recognise a trade that comes twice; of more, the oldest are
   * forgotten.
   */
  readonly recentTradeIdsMax: number;
  /** Mean time between fresh REST snapshots of a live book; 0 for none. */
  readonly bookRefreshIntervalMs: number;
  /** Mean time between two readings of a venue's lists of instruments; once if 0 or absent. */
  readonly instrumentsIntervalMs?: number;
};

export const INGEST_LIMITS_DEFAULTS: IngestLimits = {
  instrumentsMax: 50_000,
  bufferedDeltasMax: 10_000,
  recentTradeIdsMax: 2_000,
  bookRefreshIntervalMs: 600_000,
};
