import type { OrderBook } from "@tickwire/proto/model";
import type { Bus } from "#bus/bus.ts";
import type { ByteBudget } from "#core/byte-budget.ts";
import type { CandlePast } from "#core/candle-past.ts";
import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Logger } from "#core/logger.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { parseShard, shardOf } from "#core/shard.ts";
import { Announcements } from "#publish/announcements.ts";
import type { Claims } from "#publish/leadership/claims.ts";
import type { Partition } from "#publish/leadership/partition.ts";
import type { PublishLatencies } from "#publish/publish-latency.ts";
import type { PublishLimits } from "#publish/publish-limits.ts";
import { Publisher } from "#publish/publisher.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import { QueryResponder } from "#publish/query-responder.ts";
import { ownCandleOf } from "#publish/standby/own-feed.ts";
import type { OwnInstrument } from "#publish/standby/own-feed.ts";
import { StreamedInstruments } from "#publish/streamed-instruments.ts";
import type { TopicRecord } from "#publish/topic-record.ts";
import { VenueListings } from "#publish/venue-listings.ts";
import { VenuePublication } from "#publish/venue-publication.ts";
import { derivedHealthMeter } from "./derived-health.ts";

/**
 * Whether our own candles are made of as many trades as those that another deriver has published:
 * whoever began later may lack some of the candles that are under way.
 */
function isAsWhole(topic: TopicRecord, own: OwnInstrument | undefined): boolean {
  if (topic.channel !== "candles") return true;
  return topic.latestCandles().every((known) => {
    if (known.closed || known.incomplete === true) return true;
    const ours = own && ownCandleOf(own, known);
    return ours !== undefined && ours.incomplete !== true;
  });
}

/** What all derived venues of a process share. */
export type PublishingParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisherId: string;
  /** A random UUID. */
  readonly newUuid: () => string;
  readonly counters: PublisherCounters;
  readonly latencies: PublishLatencies;
  readonly historyBudget: ByteBudget;
  readonly limits: PublishLimits;
  readonly announceIntervalMs: number;
  readonly heartbeatMs: number;
  /** Calls back at the end of the event loop's turn. */
  readonly schedule: (callback: () => void) => void;
  /** Who leads; absent where nobody else could. */
  readonly claimsOf: ((partition: Partition) => Claims) | undefined;
  /** INDEX/COUNT: only the instruments of this shard are published here. */
  readonly shard: string | undefined;
};

type DerivedVenueParts = PublishingParts & {
  readonly venue: string;
  readonly liveBookOf?: (instrument: Instrument) => OrderBook | undefined;
  readonly candlePast?: CandlePast;
};

/**
 * A venue that is made here of what others publish. To everybody else it is a venue as any: it has
 * a list, topics with positions, answers to questions, and one of several publishers leads. It is
 * there from its first instrument on: of a venue without any, nobody would learn that it has none.
 */
export class DerivedVenue {
  readonly venue: string;
  readonly publication: VenuePublication;
  readonly #claimsOf: PublishingParts["claimsOf"];
  readonly #shard: ReturnType<typeof parseShard>;
  readonly #streamed: StreamedInstruments;
  readonly #listings: VenueListings;
  readonly #responder: QueryResponder;
  readonly #announcements: Announcements;
  #isOpen = false;
  #events = 0;

  constructor(parts: DerivedVenueParts) {
    const { venue, clock, logger, bus, publisherId } = parts;
    this.venue = venue;
    this.#claimsOf = parts.claimsOf;
    this.#shard = parts.shard === undefined ? undefined : parseShard(parts.shard);
    this.#listings = new VenueListings({ venue, clock, emit: (event) => this.emit(event) });
    this.#streamed = new StreamedInstruments({
      onChange: () => this.#announcements.announce(venue),
      // The list is one topic, which the first shard has: it names what that shard publishes.
      onListing: (change) => {
        if (this.#shard === undefined || this.#shard.index === 1) this.#listings.tell(change);
      },
    });
    const partition: Partition = {
      venue,
      shardIndex: this.#shard?.index ?? 0,
      shardCount: this.#shard?.count ?? 0,
    };
    const publisher: Publisher = new Publisher({
      ...parts,
      epoch: 0,
      maySend: () => this.publication.maySend(),
    });
    const liveBookOf = parts.liveBookOf ?? (() => undefined);
    this.publication = new VenuePublication({
      ...parts,
      partition,
      publisher,
      streamed: this.#streamed,
      market: this.#listings.market,
      liveBookOf,
      // Both derive the same of what is on the bus for all.
      isOneVenue: true,
      isAsGood: isAsWhole,
      listener: {
        onTerm: () => this.#announcements.announce(venue),
        onTermOver: () => this.#announcements.leave(venue),
      },
    });
    const listings = this.#listings;
    const streamed = this.#streamed;
    const { candlePast } = parts;
    const health = derivedHealthMeter({ ...parts, counts: this });
    const view = { venue, streamed, listings, publisher, liveBookOf, candlePast, health };
    this.#responder = new QueryResponder({ bus, clock, logger, publisherId, venues: [view] });
    const { publication } = this;
    const announced = {
      venue,
      streamed,
      publisher,
      get fencingToken() {
        return publication.fencingToken;
      },
      shard: partition,
    };
    this.#announcements = new Announcements({ ...parts, venues: [announced] });
  }

  get instruments(): number {
    return this.#streamed.size;
  }

  /** Events that were published here. */
  get events(): number {
    return this.#events;
  }

  /** Whether an instrument of this symbol is published here. */
  owns(symbol: string): boolean {
    const shard = this.#shard;
    return shard === undefined || shardOf(symbol, shard.count) === shard.index;
  }

  /** The instrument is streamed from now on. */
  add(
    instrument: Instrument,
    channels: readonly Channel[],
    candleIntervalsMs: readonly number[] = [],
  ): void {
    if (!this.#isOpen) this.#open();
    const topics = channels.map((channel) => ({ instrument, channel }));
    this.#streamed.add(topics, candleIntervalsMs);
  }

  /** Nothing more comes of it. */
  remove(instrument: Instrument, reason: string): void {
    this.#streamed.remove([instrument], reason);
    this.publication.retire(instrument);
  }

  emit(event: MarketEvent): void {
    const { publication } = this;
    // Whoever stands by keeps what it derives to itself.
    if (publication.publisher.epoch > 0) this.#events += 1;
    publication.emit(event);
  }

  /** Publishes what waits, and leaves. Idempotent. */
  close(): void {
    this.#listings.close();
    this.publication.close();
    this.#announcements.close();
    this.#responder.close();
    this.publication.leave();
  }

  /** Answers and announces from now on. Publishes at once where nobody else could. */
  #open(): void {
    this.#isOpen = true;
    this.#responder.start();
    this.#announcements.start();
    const { publication } = this;
    if (this.#claimsOf === undefined) publication.startAlone();
    else publication.start(this.#claimsOf(publication.partition));
  }
}
