import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { PublisherIdentity } from "#publish/publisher-identity.ts";
import type { FeedAdapter } from "../feed/feed-adapter.ts";
import type { Logger } from "#core/logger.ts";
import type { CaptureLine } from "./capture-format.ts";

/** An event with the position that the publisher gave it in its topic. */
export type ReplayedEvent = {
  readonly event: MarketEvent;
  /**
   * On a bus, that of `identity`; without one, the time of the capture's first line, so that every
   * replay gives the same.
   */
  readonly epoch: number;
  readonly sequence: number;
};

/** What a capture is about. */
export type CaptureContents = {
  readonly venue: string;
  readonly streams: readonly {
    readonly instrument: Instrument;
    readonly channels: readonly Channel[];
    /** Lengths of its candles. */
    readonly candleIntervalsMs: readonly number[];
  }[];
};

export type ReplayOptions = {
  /** The lines of a capture, such as `readCapture()` gives. */
  readonly source: AsyncIterable<CaptureLine>;
  /** Decodes with this venue's adapter instead of the header's; needed where there is no header. */
  readonly venue?: string;
  /** Finds the adapter of a venue; the registry's by default. */
  readonly resolveAdapter?: (venue: string) => FeedAdapter | undefined;
  /** Only these channels leave; all by default. Sequences are those of the topic either way. */
  readonly channels?: readonly Channel[];
  /** `max` never waits; a number is how many times faster than the recording. */
  readonly speed: number | "max";
  /**
   * The real clock: paces the replay and stamps the publishing time. Receive times are the
   * capture's.
   */
  readonly clock: Clock;
  /**
   * Where events are published, if anywhere; queries about them are answered on it. Not closed by
   * the replay.
   */
  readonly bus?: Bus;
  /**
   * Who announces on the bus: new with each start where others may share it. By default a `replay`
   * of epoch 1, which is alone on its bus.
   */
  readonly identity?: PublisherIdentity;
  /** Called for every event, synchronously and in order. */
  readonly onEvent?: (replayed: ReplayedEvent) => void;
  /** Levels per side that the recording subscribed, where its frames do not say. Default 1000. */
  readonly bookDepth?: number;
  /**
   * Known from an earlier pass: announced and answered for on the bus before the first line is
   * read.
   */
  readonly contents?: CaptureContents;
  /** Nothing is read before this resolves. */
  readonly startAfter?: Promise<void>;
  /** Ends the replay early; `finished` then resolves with what was done so far. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
};

/** What a replay did. Counts of the whole capture. */
export type ReplaySummary = {
  readonly venue: string;
  /** WebSocket messages received. */
  readonly frames: number;
  /** Lines that could not be read, including a broken end of the file. */
  readonly damagedLines: number;
  /** Published events by their kind, such as `trade`. */
  readonly events: Readonly<Record<string, number>>;
  /** Pieces of venue data that were not used, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Trades left out because they had been seen. */
  readonly duplicateTrades: number;
  /** Of the published trades those that the venue sent as history. */
  readonly historicalTrades: number;
  /** Broken sequences and failed checksums found in books. */
  readonly gaps: number;
  /** Books that were started anew after a gap. */
  readonly resyncs: number;
  readonly checksumsPassed: number;
  readonly checksumsFailed: number;
  /** How far the clock of the last events was ahead of the recorder's; undefined if none told. */
  readonly clockOffsetUs: number | undefined;
  readonly elapsedMs: number;
  readonly framesPerSecond: number;
};
