import type { Instrument } from "#core/instrument.ts";
import type { Channel } from "#core/instrument.ts";

/** A topic of a recording, with what replaying it needs to know of its instrument. */
export type RecordedTopic = {
  readonly venue: string;
  readonly symbol: string;
  readonly channel: Channel;
  readonly instrument: Instrument;
  /** Lengths of the instrument's candles. */
  readonly candleIntervalsMs: readonly number[];
};

/** What is said of a topic beside its events. */
export type RecordedNotice =
  /** These events are missing. */
  | {
      readonly kind: "gap";
      readonly epoch: number;
      readonly missingFirst: number;
      /** Absent if nobody knows. */
      readonly missingLast?: number | undefined;
      /** As the client says it, or `recorder-overrun`. */
      readonly reason: string;
    }
  /** How the topic goes on: at a start, after a lost connection, in another epoch. */
  | {
      readonly kind: "continuity";
      readonly continuity: string;
      /** What became of what was missed, where there was a position before. */
      readonly outcome?: string | undefined;
      readonly epoch: number;
      readonly sequence: number;
      readonly reason: string;
    };

/** One entry of a recording. `timeUs` is when the recorder got it, and never falls. */
export type RecordedEntry = { readonly topic: RecordedTopic; readonly timeUs: number } & (
  | {
      readonly kind: "events";
      /** The state that was there already, repeated at the start of a file. */
      readonly held: boolean;
      /** An encoded BusBatch, which is readable alone. */
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "notice"; readonly notice: RecordedNotice }
);

/** Which run of a recorder wrote a block. */
export type RecordingRun = {
  readonly id: string;
  readonly startedTimeUs: number;
  /** The program that wrote it, and where its data came from. */
  readonly program: string;
  readonly source: string;
};
