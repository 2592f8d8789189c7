import type { Bus } from "#bus/bus.ts";
import type { Logger } from "#core/logger.ts";
import type { PublisherIdentity } from "#publish/publisher-identity.ts";
import type { RecordedEntry } from "../format/entry.ts";
import type { Recording } from "../reading/recording.ts";
import { ReplayPlayer, type ReplayPlayerOptions } from "./replay-player.ts";
import { ReplayVenue } from "./replay-venue.ts";

type RecordingReplayOptions = Omit<ReplayPlayerOptions, "source" | "sink"> & {
  readonly recording: Recording;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly schedule: (flush: () => void) => void;
  readonly createIdentity: () => PublisherIdentity;
  /** The id that a venue of the recording is published under. */
  readonly nameOf: (venue: string) => string;
};

/** A recording that is published: each of its venues under a name of its own, on one bus. */
export class RecordingReplay {
  readonly player: ReplayPlayer;
  readonly #options: RecordingReplayOptions;
  readonly #venues = new Map<string, ReplayVenue>();

  private constructor(options: RecordingReplayOptions) {
    this.#options = options;
    const { recording, bus } = options;
    this.player = new ReplayPlayer({
      ...options,
      source: recording,
      sink: {
        play: (entry) => this.#venueOf(entry).play(entry),
        reset: () => this.#each((venue) => venue.reset()),
        absorb: (entry) => this.#venueOf(entry).absorb(entry),
        restate: () => this.#each((venue) => venue.restate()),
        settle: async () => {
          this.#each((venue) => venue.flush());
          await bus.flush();
        },
      },
    });
  }

  /** Announces what the recording has where the replay begins. Nothing is played before `run`. */
  static async open(options: RecordingReplayOptions): Promise<RecordingReplay> {
    const replay = new RecordingReplay(options);
    const { recording, startTimeUs, fromTimeUs } = options;
    const topics = await recording.topics(startTimeUs ?? fromTimeUs);
    for (const venue of new Set(topics.map((topic) => topic.venue))) {
      const own = topics.filter((topic) => topic.venue === venue);
      replay.#venues.set(venue, replay.#createVenue(venue, own));
    }
    return replay;
  }

  /** Also after it was closed. */
  get venues(): readonly ReplayVenue[] {
    return [...this.#venues.values()];
  }

  /** Plays until the end, or until it is closed. Rejects if the recording cannot be read. */
  run({ stay }: { readonly stay: boolean }): Promise<void> {
    return this.player.run({ stay });
  }

  /** Ends the replay: its venues leave the bus. Idempotent. */
  close(): void {
    this.player.close();
    this.#each((venue) => venue.close());
  }

  #each(action: (venue: ReplayVenue) => void): void {
    for (const venue of this.#venues.values()) action(venue);
  }

  #venueOf({ topic }: RecordedEntry): ReplayVenue {
    let venue = this.#venues.get(topic.venue);
    if (venue === undefined) {
      venue = this.#createVenue(topic.venue, [topic]);
      this.#venues.set(topic.venue, venue);
    }
    return venue;
  }

  #createVenue(venue: string, topics: readonly RecordedEntry["topic"][]): ReplayVenue {
    const { bus, clock, logger, schedule, createIdentity, nameOf } = this.#options;
    const identity = createIdentity();
    return new ReplayVenue({
      venue: nameOf(venue),
      bus,
      clock,
      logger,
      schedule,
      identity,
      topics,
    });
  }
}
