/**
 * How patient the feed driver is. Venue limits are the adapter's; these are ours, the same for
 * every venue.
 */
export type FeedPolicy = {
  /**
   * Full jitter: each wait is random between 0 and base * 2^attempt, which never exceeds the
   * maximum.
   */
  readonly reconnectBackoffBaseMs: number;
  readonly reconnectBackoffMsMax: number;
  /** A connection that held this long starts the back-off anew. */
  readonly connectionStableMs: number;
  /** From dialling to open, the venue's greeting included. */
  readonly dialTimeoutMs: number;
  /**
   * A subscription that was neither confirmed nor served within this time is asked for again, each
   * time after twice as long, up to `refusalBackoffMsMax`.
   */
  readonly subscriptionAnswerMsMax: number;
  /** Full jitter, as for reconnects: waits between a refusal for a moment and asking again. */
  readonly refusalBackoffBaseMs: number;
  readonly refusalBackoffMsMax: number;
  /** The wait after a refusal for good, such as of a name that the venue does not have. */
  readonly finalRefusalMs: number;
  /** Refusals in a row for the moment after which a subscription is told to be refused. */
  readonly refusalsMax: number;
  /** How long nothing is sent to a venue that says that we send too much. */
  readonly tooFastPauseMs: number;
  /** Parts of a request that was refused as a whole are asked for after this. */
  readonly refusedPartsDelayMs: number;
  /** How long the first data of a confirmed subscription may take where it must come. */
  readonly firstDataMsMax: number;
  /** Between two replacements of one connection because of what it does not serve. */
  readonly unservedReplacementMs: number;
  /** A quiet subscription whose channel has no limit of its own is doubted after this. */
  readonly doubtMs: number;
  /** Between two REST requests that find out whether anything was missed. */
  readonly probeIntervalMs: number;
  /** Between the two looks at what the venue has that prove a channel dead. */
  readonly probeAgainMs: number;
  /** How long news that REST has may be on the way. */
  readonly probeGraceMs: number;
  /** Instruments that may wait for their probe; more are doubted again later. */
  readonly probesWaitingMax: number;
  /** Bytes that may wait for a venue that does not read; more drops the connection. */
  readonly outgoingBytesMax: number;
  /**
   * Subscribe frames that may wait for the venue's pace on one connection; more drops the
   * connection.
   */
  readonly outgoingFramesWaitingMax: number;
  /** Reconnects that may wait for the venue's pace; more wait for another back-off. */
  readonly connectsWaitingMax: number;
  /**
   * A connection is replaced at a random moment within this time before the venue's maximum age.
   */
  readonly rolloverJitterMs: number;
  /** Old and new connection overlap at least this long, so that nothing falls between them. */
  readonly rolloverOverlapMs: number;
  /** The old one is dropped after this long even if the new one has not started every book. */
  readonly rolloverTimeoutMs: number;
  /** Book deltas of one instrument kept from the new connection while the old one still leads. */
  readonly rolloverDeltasMax: number;
  /** Snapshot requests that may wait for the venue's budget; more wait for another back-off. */
  readonly snapshotsWaitingMax: number;
  readonly snapshotBackoffBaseMs: number;
  readonly snapshotBackoffMsMax: number;
  /** Failures in a row after which a snapshot is given up until the cool-down is over. */
  readonly snapshotAttemptsMax: number;
  readonly snapshotCooldownMs: number;
  /** A book that was live this long is resynced without waiting when it breaks again. */
  readonly bookStableMs: number;
  /** Requests in a row for the refresh of a live book; then it waits for its next turn. */
  readonly refreshAttemptsMax: number;
  /** Mean time to the first fresh snapshot of a book whose numbers cannot show what it lacks. */
  readonly unprovenRefreshMs: number;
  /** An in-band snapshot that does not come within this time is asked for again. */
  readonly inBandSnapshotTimeoutMs: number;
  /** Live trades of one instrument that wait for a fill; the next one ends it. */
  readonly tradeFillHeldMax: number;
  /** Requests for the trades that one interruption cost, first ones and repetitions. */
  readonly tradeFillRequestsMax: number;
  /** Pages of trades that one interruption is filled from; what is behind them is told. */
  readonly tradeFillPagesMax: number;
  /** How long live trades wait at most for the missing ones before them. */
  readonly tradeFillTimeoutMs: number;
  /** Requests for candles of the past that are under way or wait; more are refused. */
  readonly candleRequestsWaitingMax: number;
  /** How long whoever asks for them waits; what comes later is kept for the next time. */
  readonly candleAnswerMsMax: number;
  /** Candles of the past that are kept of one venue; the least lately used go. */
  readonly candlesKeptMax: number;
  /** Ranges of them that are kept, of which many may be without a candle; likewise. */
  readonly candleBlocksKeptMax: number;
  /** Requests of one polled channel that are under way at a time. */
  readonly pollsInFlightMax: number;
  /** Requests in a row without any answer that end a round. */
  readonly pollsUnansweredMax: number;
  /** Rounds in a row without data after which a polled channel is not live any more. */
  readonly pollRoundsFailedMax: number;
  /** Failures of a list of instruments after which the others start without it. */
  readonly instrumentsAttemptsMax: number;
  /** Pages of one list of instruments; those after it are left out. */
  readonly instrumentsPagesMax: number;
  /** At most this part of a venue's REST budget goes into its lists. */
  readonly instrumentsBudgetPart: number;
  /** What the venue says has changed in its list is read after this, with what else has by then. */
  readonly instrumentsHintMs: number;
  /** A list that is not believed is read again after this. */
  readonly listDoubtMs: number;
  /** A list that has less than this part of the last one's instruments is not believed at once. */
  readonly listShrinkMin: number;
  /** So many lists in a row that are that small are believed. */
  readonly listDoubtsMax: number;
  /** What a list has as paused for longer than this has ended. */
  readonly pausedListedMsMax: number;
  /** Pause of a venue's REST after a 429, and after a 418, that names no time. */
  readonly rateLimitedPauseMs: number;
  readonly bannedPauseMs: number;
  /** The longest pause that a venue is granted; one that asks for more gets this. */
  readonly restPauseMsMax: number;
};

export const FEED_POLICY_DEFAULTS: FeedPolicy = {
  reconnectBackoffBaseMs: 500,
  reconnectBackoffMsMax: 30_000,
  connectionStableMs: 60_000,
  dialTimeoutMs: 15_000,
  subscriptionAnswerMsMax: 30_000,
  refusalBackoffBaseMs: 5_000,
  refusalBackoffMsMax: 300_000,
  finalRefusalMs: 3_600_000,
  refusalsMax: 6,
  tooFastPauseMs: 10_000,
  refusedPartsDelayMs: 1_000,
  firstDataMsMax: 30_000,
  unservedReplacementMs: 600_000,
  doubtMs: 60_000,
  probeIntervalMs: 2_000,
  probeAgainMs: 20_000,
  probeGraceMs: 5_000,
  probesWaitingMax: 512,
  outgoingBytesMax: 1024 * 1024,
  outgoingFramesWaitingMax: 4096,
  connectsWaitingMax: 1024,
  rolloverJitterMs: 3_600_000,
  rolloverOverlapMs: 2_000,
  rolloverTimeoutMs: 60_000,
  rolloverDeltasMax: 256,
  snapshotsWaitingMax: 4096,
  snapshotBackoffBaseMs: 500,
  snapshotBackoffMsMax: 30_000,
  snapshotAttemptsMax: 8,
  snapshotCooldownMs: 60_000,
  bookStableMs: 60_000,
  refreshAttemptsMax: 3,
  unprovenRefreshMs: 10_000,
  inBandSnapshotTimeoutMs: 15_000,
  tradeFillHeldMax: 10_000,
  tradeFillRequestsMax: 8,
  tradeFillPagesMax: 20,
  tradeFillTimeoutMs: 10_000,
  candleRequestsWaitingMax: 64,
  // Below the time that a gateway waits for an answer.
  candleAnswerMsMax: 1_500,
  candlesKeptMax: 100_000,
  candleBlocksKeptMax: 10_000,
  pollsInFlightMax: 4,
  pollsUnansweredMax: 8,
  pollRoundsFailedMax: 3,
  instrumentsAttemptsMax: 5,
  instrumentsPagesMax: 64,
  instrumentsBudgetPart: 0.02,
  instrumentsHintMs: 5_000,
  listDoubtMs: 30_000,
  listShrinkMin: 0.5,
  listDoubtsMax: 3,
  pausedListedMsMax: 24 * 3_600_000,
  rateLimitedPauseMs: 5_000,
  bannedPauseMs: 120_000,
  // The longest ban that Binance announces is three days.
  restPauseMsMax: 3 * 24 * 3_600_000,
};
