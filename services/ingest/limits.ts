/** How much the ingestor keeps in memory, per venue or per instrument. */
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
  /** Events of one topic in one message on the bus. */
  readonly batchEventsMax: number;
  /** Trades of one instrument that can be asked for. */
  readonly recentTradesMax: number;
  /** Candles of one instrument and interval that can be asked for. */
  readonly recentCandlesMax: number;
};

export const INGEST_LIMITS_DEFAULTS: IngestLimits = {
  instrumentsMax: 50_000,
  bufferedDeltasMax: 10_000,
  recentTradeIdsMax: 2_000,
  bookRefreshIntervalMs: 600_000,
  batchEventsMax: 64,
  recentTradesMax: 1_000,
  recentCandlesMax: 1_500,
};
