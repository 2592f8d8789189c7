import type { JetStreamLog, StreamSettings, StreamStanding } from "#bus/jetstream-log.ts";
import { StreamLogError } from "#bus/stream-log.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";

type StreamKeeperParts = {
  readonly log: Pick<JetStreamLog, "ensure">;
  readonly clock: Pick<Clock, "after">;
  readonly logger: Logger;
  readonly venues: readonly string[];
  readonly settings: StreamSettings;
};

/** What is known of the stream of one venue. */
type VenueStream = {
  readonly venue: string;
  /** It was there, as it should be, when the server was last asked. */
  isKept: boolean;
  /** As the server described it last. */
  stream: StreamStanding | undefined;
};

/** Told by readiness while the stream of a venue is not there, or JetStream does not answer. */
const NOT_KEPT = "stream-log-not-stored";
/** Between two looks at streams that are as they should be. */
export const LOOK_MS = 30_000;
/** Until JetStream is asked again after it did not answer. */
export const RETRY_MS = 5_000;

/**
 * Has JetStream take what a publisher's venues publish: makes their streams, and looks now and then
 * whether they are still there. Publishing goes on whatever becomes of it; what is not stored is
 * said in the log and in the metrics.
 */
export class StreamKeeper {
  readonly #parts: StreamKeeperParts;
  readonly #streams: VenueStream[];
  /** Venues of which it was said that nothing is kept. */
  readonly #failing = new Set<string>();
  #cancel: CancelTimer | undefined;
  #isClosed = false;

  constructor(parts: StreamKeeperParts) {
    this.#parts = parts;
    this.#streams = parts.venues.map((venue) => ({ venue, isKept: false, stream: undefined }));
  }

  /** What is known of each venue's stream. */
  get standings(): readonly Readonly<VenueStream>[] {
    return this.#streams;
  }

  /** Why what is published is not kept as it should be; empty if it is. */
  get notReadyReasons(): readonly string[] {
    return this.#streams.every(({ isKept }) => isKept) ? [] : [NOT_KEPT];
  }

  /** Makes the streams, now or as soon as JetStream answers. To be called once. */
  start(): void {
    // It rejects only if we have a bug, and then the process ends.
    void this.#look();
  }

  /** Looks no more. The streams stay. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    for (const stream of this.#streams) {
      if (this.#isClosed) return;
      await this.#ensure(stream);
    }
    if (this.#isClosed) return;
    const isKept = this.#streams.every((stream) => stream.isKept);
    this.#cancel = this.#parts.clock.after(isKept ? LOOK_MS : RETRY_MS, () => void this.#look());
  }

  async #ensure(known: VenueStream): Promise<void> {
    const { log, logger, settings } = this.#parts;
    const { venue } = known;
    const wasKept = known.isKept;
    try {
      const stream = await log.ensure(venue, settings);
      known.isKept = true;
      known.stream = stream;
      this.#failing.delete(venue);
      if (!wasKept) this.#say(venue, stream);
    } catch (error) {
      if (!(error instanceof StreamLogError)) throw error;
      known.isKept = false;
      if (this.#isClosed || this.#failing.has(venue)) return;
      this.#failing.add(venue);
      const { code, message, cause } = error;
      const said = "JetStream does not keep what is published; live data goes on";
      logger.warn({ venue, code, reason: message, cause }, said);
    }
  }

  /** What the servers do with it, as far as a client can know. */
  #say(venue: string, stream: StreamStanding): void {
    const { logger, settings } = this.#parts;
    logger.info(
      { venue, ...stream },
      "JetStream keeps what is published. How often a server writes its files to disk is its own " +
        "setting sync_interval (2 minutes unless it is set): what came since is lost with its power",
    );
    if (stream.storage === settings.storage) return;
    const fields = { venue, storage: stream.storage, wanted: settings.storage };
    logger.warn(
      fields,
      "the storage of a stream that exists cannot be changed; remove it to do so",
    );
  }
}
