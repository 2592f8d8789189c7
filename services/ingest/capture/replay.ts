import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { FeedAdapter } from "../feed/feed-adapter.ts";
import type { Logger } from "#core/logger.ts";
import { Announcements } from "#publish/announcements.ts";
import { ANNOUNCE_INTERVAL_MS_DEFAULT, PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import type { PublisherIdentity } from "#publish/publisher-identity.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { QueryResponder } from "#publish/query-responder.ts";
import { StreamedInstruments } from "#publish/streamed-instruments.ts";
import { VenueListings } from "#publish/venue-listings.ts";
import { scheduleTurnEnd } from "../turn-scheduler.ts";
import { VENUES } from "../venues/registry.ts";
import type { CaptureLine, CaptureRecord } from "./capture-format.ts";
import { CaptureReplay } from "./capture-replay.ts";
import type { ReplayOptions, ReplaySummary } from "./replay-options.ts";

/** Lines after which a replay without pauses lets the bus deliver. */
const LINES_PER_TURN = 256;

/** Ahead of its time by less than this, a line does not wait: timers are not finer. */
const PACE_MS_MIN = 1;

/** Who publishes a replay that shares its bus with no other. */
const ALONE: PublisherIdentity = { publisherId: "replay", epoch: 1 };

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

type ReplayErrorCode = "unknown-venue" | "empty-capture";

/** A capture that cannot be replayed at all. */
class ReplayError extends Error {
  readonly code: ReplayErrorCode;

  constructor(code: ReplayErrorCode, message: string) {
    super(message);
    this.name = "ReplayError";
    this.code = code;
  }
}

/**
 * A replay that runs, and answers queries on its bus until it is closed, also after its last line.
 */
type RunningReplay = {
  /** When the last line has been published. Rejects with ReplayError, or if the source does. */
  readonly finished: Promise<ReplaySummary>;
  /** So far. */
  stats(): ReplaySummary;
  /** Stops answering and ends the sessions. The bus stays open. Idempotent. */
  close(): void;
};

/** Replays a capture to its end and closes. Rejects with ReplayError, or if the source does. */
export async function replayCapture(options: ReplayOptions): Promise<ReplaySummary> {
  const replay = startReplay(options);
  try {
    return await replay.finished;
  } finally {
    replay.close();
  }
}

/**
 * Starts to replay a capture as if it were live: see `CaptureReplay` for how, and ReplayOptions for
 * the choices.
 */
export function startReplay(options: ReplayOptions): RunningReplay {
  const run = new ReplayRun(options);
  return { finished: run.run(), stats: () => run.summary(), close: () => run.close() };
}

class ReplayRun {
  readonly #options: ReplayOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #publisherCounters = createPublisherCounters();
  readonly #startedUs: number;
  #publisher: Publisher | undefined;
  #replay: CaptureReplay | undefined;
  #responder: QueryResponder | undefined;
  #listings: VenueListings | undefined;
  #announcements: Announcements | undefined;
  #venue = "";
  #damagedLines = 0;
  #finishedUs: number | undefined;
  #closed = false;
  #pace: { readonly recordedUs: number; readonly realUs: number } | undefined;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#logger = options.logger ?? SILENT;
    this.#startedUs = this.#clock.monotonicUs();
  }

  async run(): Promise<ReplaySummary> {
    const { startAfter, source, bus, contents } = this.#options;
    if (contents !== undefined) this.#begin(contents.venue);
    if (startAfter !== undefined) await startAfter;
    let lines = 0;
    for await (const line of source) {
      if (this.#isEnded()) break;
      const waitMs = this.#take(line);
      if (waitMs >= PACE_MS_MIN) {
        await this.#sleep(waitMs);
        if (this.#isEnded()) break;
      }
      if (line.kind !== "header" && line.kind !== "damaged") this.#play(line);
      lines += 1;
      if (bus !== undefined && lines % LINES_PER_TURN === 0) await this.#settle();
    }
    if (this.#replay === undefined && !this.#isEnded()) {
      throw new ReplayError("empty-capture", describeEmpty(this.#damagedLines));
    }
    await this.#settle();
    this.#finishedUs = this.#clock.monotonicUs();
    return this.summary();
  }

  summary(): ReplaySummary {
    const counters = this.#replay?.counters;
    const elapsedMs = ((this.#finishedUs ?? this.#clock.monotonicUs()) - this.#startedUs) / 1000;
    const frames = counters?.frames ?? 0;
    return {
      venue: this.#venue,
      frames,
      damagedLines: this.#damagedLines,
      events: Object.fromEntries(
        Object.entries(counters?.events ?? {}).filter(([, count]) => count > 0),
      ),
      rejected: { ...counters?.rejected },
      duplicateTrades: counters?.duplicateTrades ?? 0,
      historicalTrades: counters?.historicalTrades ?? 0,
      gaps: counters?.gaps ?? 0,
      resyncs: counters?.resyncs ?? 0,
      checksumsPassed: counters?.checksumsPassed ?? 0,
      checksumsFailed: counters?.checksumsFailed ?? 0,
      clockOffsetUs: this.#replay?.driver.pipeline.clockOffsetUs,
      elapsedMs,
      framesPerSecond: elapsedMs > 0 ? Math.round((frames / elapsedMs) * 1000) : 0,
    };
  }

  close(): void {
    this.#closed = true;
    // What waits is on the bus before the replay says that nothing more will come.
    this.#publisher?.flush();
    this.#announcements?.close();
    this.#responder?.close();
    this.#listings?.close();
    this.#replay?.close();
  }

  /** Prepares for a line. Returns how long to wait before it is played. */
  #take(line: CaptureLine): number {
    switch (line.kind) {
      case "damaged":
        this.#damagedLines += 1;
        this.#replay?.skip();
        // The summary counts them all.
        if (this.#damagedLines === 1) {
          this.#logger.warn({ reason: line.reason }, "damaged line in the capture");
        }
        return 0;
      case "header":
        if (this.#replay === undefined) this.#begin(this.#options.venue ?? line.venue);
        return 0;
      case "open":
      case "sent":
      case "received":
      case "http":
      case "close":
        if (this.#replay === undefined) this.#begin(this.#options.venue);
        return this.#waitMs(line.atUs);
    }
  }

  #play(line: CaptureRecord): void {
    // Nobody on a bus has to tell this replay from another: the same capture gives the same epoch.
    this.#publisher ??= this.#createPublisher(line.atUs);
    this.#replay?.take(line);
  }

  #begin(venue: string | undefined): void {
    const { resolveAdapter = adapterOf, channels, bookDepth = 1000, bus } = this.#options;
    const adapter = venue === undefined ? undefined : resolveAdapter(venue);
    if (adapter === undefined) {
      const known = Object.keys(VENUES).join(", ");
      const what =
        venue === undefined
          ? "the capture names no venue"
          : `there is no adapter for venue ${venue}`;
      throw new ReplayError("unknown-venue", `${what}; there are ${known}`);
    }
    this.#venue = adapter.venue;
    const listings = new VenueListings({
      venue: this.#venue,
      clock: this.#clock,
      emit: (listing) => this.#publisher?.publish(listing),
    });
    this.#listings = listings;
    const streamed = new StreamedInstruments({
      onChange: () => this.#announcements?.announce(),
      onListing: (change) => {
        if (bus !== undefined) listings.tell(change);
      },
    });
    const wanted = channels === undefined ? undefined : new Set(channels);
    const replay = new CaptureReplay({
      adapter,
      bookDepth,
      logger: this.#logger,
      emit: (event) => {
        const channel = CHANNEL_OF_KIND[event.kind];
        if (wanted !== undefined && !wanted.has(channel)) return;
        if (bus !== undefined) addIfNew(streamed, event, channel);
        this.#publisher?.publish(event);
      },
    });
    this.#replay = replay;
    for (const stream of this.#options.contents?.streams ?? []) {
      const { instrument, channels: known, candleIntervalsMs } = stream;
      replay.catalog.add([instrument]);
      streamed.add(
        known
          .filter((channel) => wanted === undefined || wanted.has(channel))
          .map((channel) => ({ instrument, channel })),
        candleIntervalsMs,
      );
    }
    if (bus !== undefined) this.#answerQueries(replay, streamed, listings);
  }

  #answerQueries(
    replay: CaptureReplay,
    streamed: StreamedInstruments,
    listings: VenueListings,
  ): void {
    const { bus, identity = ALONE } = this.#options;
    if (bus === undefined) return;
    const publisher = this.#createPublisher(identity.epoch);
    this.#publisher = publisher;
    const view = {
      venue: this.#venue,
      streamed,
      listings,
      publisher,
      liveBookOf: (instrument: Instrument) => replay.driver.pipeline.liveBookOf(instrument),
    };
    const common = { bus, clock: this.#clock, logger: this.#logger, venues: [view] };
    const { publisherId } = identity;
    this.#responder = new QueryResponder({ ...common, publisherId });
    this.#announcements = new Announcements({
      ...common,
      publisherId,
      announceIntervalMs: ANNOUNCE_INTERVAL_MS_DEFAULT,
    });
    this.#responder.start();
    this.#announcements.start();
  }

  #createPublisher(epoch: number): Publisher {
    const { bus, onEvent } = this.#options;
    return new Publisher({
      ...(bus === undefined ? {} : { bus }),
      ...(onEvent === undefined
        ? {}
        : {
            onEvent: (event: MarketEvent, sequence: number) => onEvent({ event, epoch, sequence }),
          }),
      clock: this.#clock,
      epoch,
      limits: PUBLISH_LIMITS_DEFAULTS,
      schedule: scheduleTurnEnd,
      counters: this.#publisherCounters,
      logger: this.#logger,
    });
  }

  /** How long the real clock must run until a line recorded at this time is due. */
  #waitMs(recordedUs: number): number {
    const { speed } = this.#options;
    if (speed === "max") return 0;
    const nowUs = this.#clock.monotonicUs();
    this.#pace ??= { recordedUs, realUs: nowUs };
    const dueUs = this.#pace.realUs + (recordedUs - this.#pace.recordedUs) / speed;
    return (dueUs - nowUs) / 1000;
  }

  #isEnded(): boolean {
    return this.#closed || this.#options.signal?.aborted === true;
  }

  async #settle(): Promise<void> {
    this.#publisher?.flush();
    await this.#options.bus?.flush();
  }

  async #sleep(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const { signal } = this.#options;
      const cancel = this.#clock.after(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        resolve();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

function describeEmpty(damagedLines: number): string {
  return damagedLines === 0
    ? "the capture has no lines"
    : `none of its ${damagedLines} lines is one of a capture`;
}

function adapterOf(venue: string): FeedAdapter | undefined {
  return Object.hasOwn(VENUES, venue) ? VENUES[venue as keyof typeof VENUES] : undefined;
}

/** What nobody knew that the capture holds is announced when it comes. */
function addIfNew(streamed: StreamedInstruments, event: MarketEvent, channel: Channel): void {
  const { instrument } = event;
  if (event.kind === "candle") {
    const { intervalMs } = event;
    if (streamed.hasCandles(instrument, intervalMs)) return;
    streamed.add([{ instrument, channel }], [intervalMs]);
  } else if (!streamed.has(instrument, channel)) {
    streamed.add([{ instrument, channel }]);
  }
}
