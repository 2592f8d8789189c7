import { BatchWriter } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Channel } from "#core/instrument.ts";
import type { StatusReason } from "#core/status-reason.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { channelsOf } from "../catalog/channel-names.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { TopicFeed } from "./topic-feed.ts";

/** What the gateway itself knows to be wrong, and no ingestor can say. */
export type Trouble = {
  readonly state: "down" | "gap";
  /**
   * `ingestor-lost`: nobody publishes the venue. `bus-down`: the gateway is cut off from those who
   * do. `ingestor-replaced`: another one does now, and what came between is in nobody's numbers.
   * `bus-gap`: events were lost between the ingestor and the gateway.
   */
  readonly reason: Extract<
    StatusReason,
    "ingestor-lost" | "bus-down" | "ingestor-replaced" | "bus-gap"
  >;
  readonly sinceTimeUs: number;
};

/** Topics that are told in one turn of the event loop: some milliseconds of work. */
const TOPICS_PER_TURN_MAX = 250;

type VenueTroublesParts = {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, "instrument">;
};

/**
 * Tells everybody who follows a status what the gateway itself knows. The batch is marked as a
 * state at the position that the client has, so it changes nothing about what counts as received:
 * sequences belong to the publisher, and the gateway has none to give. Many topics are told over
 * several turns, in which the first that is said of a venue ends what was being said of it before.
 */
export class VenueTroubles {
  readonly #parts: VenueTroublesParts;
  /** By venue: the next turn in which topics are told. */
  readonly #next = new Map<string, CancelTimer>();

  constructor(parts: VenueTroublesParts) {
    this.#parts = parts;
  }

  /** Tells the subscribers of these feeds, which are of one venue, about every channel. */
  tell(venue: string, feeds: readonly TopicFeed[], trouble: Trouble): void {
    this.cancel(venue);
    const statuses = feeds.filter(({ name }) => name.channel === "status");
    this.#tellFrom(venue, statuses, trouble);
  }

  /** The trouble is over: whoever was not told yet will not be. */
  cancel(venue: string): void {
    this.#next.get(venue)?.();
    this.#next.delete(venue);
  }

  /** Tells nobody any more. Idempotent. */
  close(): void {
    for (const venue of this.#next.keys()) this.cancel(venue);
  }

  /** Tells the subscribers of one status. */
  tellOne(feed: TopicFeed, trouble: Trouble): void {
    const { venue, symbol } = feed.name;
    const instrument = this.#parts.catalog.instrument(venue, symbol);
    const channels = instrument === undefined ? [] : channelsOf(instrument);
    const nowUs = this.#parts.clock.nowUs();
    feed.announce(troubleState(feed.position, channels, trouble, nowUs));
  }

  #tellFrom(venue: string, feeds: readonly TopicFeed[], trouble: Trouble): void {
    for (const feed of feeds.slice(0, TOPICS_PER_TURN_MAX)) this.tellOne(feed, trouble);
    if (feeds.length <= TOPICS_PER_TURN_MAX) return;
    const rest = feeds.slice(TOPICS_PER_TURN_MAX);
    const next = this.#parts.clock.after(0, () => {
      this.#next.delete(venue);
      this.#tellFrom(venue, rest, trouble);
    });
    this.#next.set(venue, next);
  }
}

/** The state of a status topic in which these channels are in trouble; empty where none is. */
export function troubleState(
  { epoch, sequence }: TopicPosition,
  channels: readonly Channel[],
  { state, reason, sinceTimeUs }: Trouble,
  nowUs: number,
): readonly BusBatch[] {
  const rows = channels
    .filter((channel) => channel !== "status")
    .map((channel) => {
      const row = { venueTimeUs: undefined, receivedTimeUs: nowUs, channel, state, reason };
      return { ...row, sinceTimeUs };
    });
  // Before the first status nobody has a position that it could stand at.
  if (rows.length === 0 || sequence === 0) return [];
  const chain = { kind: "statuses", epoch, sequence } as const;
  return BatchWriter.snapshot(chain, { kind: "statuses", rows }, { publishedTimeUs: nowUs });
}
