/** One message as a log keeps it. Whoever reads it may keep `payload`, and never writes to it. */
export type LogEntry = {
  /**
   * Rises from entry to entry and is never given twice; entries of other subjects lie between. An
   * integer, at least 1.
   */
  readonly place: number;
  /** When the log took it, by the log's own clock; microseconds since 1970. */
  readonly storedTimeUs: number;
  readonly payload: Uint8Array;
};

/** Where reading begins: at the first entry of the subject that is there, or comes after it. */
export type LogStart = { readonly place: number } | { readonly timeUs: number };

/** How much is read at once. One entry is given in any case. */
export type LogReadLimits = { readonly entriesMax: number; readonly bytesMax: number };

/** Entries of one subject in the order in which the log took them. */
export type LogPage = {
  readonly entries: readonly LogEntry[];
  /** Nothing of the subject followed the last of them when they were read. */
  readonly isLast: boolean;
};

type StreamLogErrorCode =
  /** There is no log for the subject, or it does not answer now. */
  | "log-unavailable"
  /** The log was closed. */
  | "log-closed";

/** A log cannot be read. `cause` is for the process's own log. */
export class StreamLogError extends Error {
  readonly code: StreamLogErrorCode;

  constructor(code: StreamLogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StreamLogError";
    this.code = code;
  }
}

/**
 * What was published on the subjects of events, kept beyond the life of its publisher. A log takes
 * the messages from the bus by itself, so that publishing costs the same with and without it. It
 * promises order within a subject and nothing about completeness: a log that was away has holes,
 * and its limits cut off the oldest. Whoever reads it proves by the sequences in the messages that
 * nothing is missing.
 *
 * Each method rejects with StreamLogError, and with nothing else.
 */
export type StreamLog = {
  readonly kind: "memory" | "jetstream";
  /** The first entry of the subject at a place or after it; undefined if there is none. */
  first(subject: string, place: number): Promise<LogEntry | undefined>;
  /** The newest entry of the subject; undefined if there is none. */
  last(subject: string): Promise<LogEntry | undefined>;
  /** Entries of the subject from a start on. */
  read(subject: string, start: LogStart, limits: LogReadLimits): Promise<LogPage>;
  /** Releases what the log holds. Idempotent. */
  close(): Promise<void>;
};
