/** Every reason of a `status`; docs/normalization.md and proto/README.md list them. */
export const STATUS_REASONS = [
  // Of a subscription.
  "connecting",
  "subscribing",
  "acknowledged",
  "subscribed",
  "data",
  "data-resumed",
  "nothing-missed",
  "refused-for-now",
  "refused",
  "silent",
  "not-served",
  "not-answered",
  "address-limit",
  "disconnected",
  // Of a channel that is asked for by REST again and again.
  "polling",
  "poll-empty",
  "poll-failed",
  // Of a book.
  "start",
  "synchronized",
  "sequence-gap",
  "sequence-repeated",
  "sequence-reset",
  "checksum-mismatch",
  "crossed-book",
  "damaged-message",
  "snapshot-unavailable",
  "crossed",
  "uncrossed",
  // Of trades.
  "reconnected",
  "missing-data",
  "filled",
  // Of an instrument.
  "instrument-state",
  "delisted",
  "renamed",
  // Of several venues as one.
  "no-source",
  "no-data",
  "halted",
  "sources-set-aside",
  // Of a recording that is played.
  "recording",
  "recording-gap",
  // Of a gateway.
  "ingestor-lost",
  "ingestor-replaced",
  "bus-down",
  "bus-gap",
] as const;

type StatusWord = (typeof STATUS_REASONS)[number];

/** Why a channel is in its state: a word, or one with the ids around trades that are missing. */
export type StatusReason = StatusWord | `${StatusWord}; missing after trade ${string}`;
