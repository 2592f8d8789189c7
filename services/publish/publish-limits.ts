import type { HistoryLimits } from "./batch-history.ts";

/** How much a publisher batches and remembers, for each topic. */
export type PublishLimits = HistoryLimits & {
  /** Events in one message on the bus; the next one publishes the batch at once. */
  readonly batchEventsMax: number;
  /** Trades that can be asked for. */
  readonly recentTradesMax: number;
  /** Candles of each interval that can be asked for. */
  readonly recentCandlesMax: number;
  /** Of the histories of all topics together. */
  readonly historyTotalBytesMax: number;
};

export const PUBLISH_LIMITS_DEFAULTS: PublishLimits = {
  batchEventsMax: 64,
  recentTradesMax: 1_000,
  recentCandlesMax: 1_500,
  historyBytesMax: 4 * 1_024 * 1_024,
  historyTotalBytesMax: 256 * 1_024 * 1_024,
  historyAgeMs: 60_000,
};

/**
 * How often a publisher says that it is there. Whoever follows it counts it as lost after several
 * of these without a word, so a longer one costs time when it dies, a shorter one messages.
 */
export const ANNOUNCE_INTERVAL_MS_DEFAULT = 2_000;

/**
 * Announcements in a row that say where a topic stands after it moved: one that is lost on the bus
 * does not hide what was lost before it.
 */
export const PROGRESS_REPEATS = 3;
