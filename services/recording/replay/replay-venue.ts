import { readBusBatch, readBusEvents, rowsOf, WireError } from "@tickwire/proto/codec";
import { EVENT_KINDS } from "@tickwire/proto/model";
import type { Bus } from "#bus/bus.ts";
import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import { MARKET_SYMBOL } from "#core/instrument.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Logger } from "#core/logger.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { StatusReason } from "#core/status-reason.ts";
import { Announcements } from "#publish/announcements.ts";
import { ANNOUNCE_INTERVAL_MS_DEFAULT, PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import type { PublisherIdentity } from "#publish/publisher-identity.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { QueryResponder } from "#publish/query-responder.ts";
import { StreamedInstruments } from "#publish/streamed-instruments.ts";
import { VenueListings } from "#publish/venue-listings.ts";
import type { RecordedEntry, RecordedNotice, RecordedTopic } from "../format/entry.ts";
import { TopicState, type AnyRow } from "../format/topic-state.ts";

type ReplayVenueOptions = {
  /** The id that it is published under. */
  readonly venue: string;
  readonly bus: Bus;
  /** Stamps the publishing time; what was received keeps its own. */
  readonly clock: Clock;
  readonly identity: PublisherIdentity;
  readonly logger: Logger;
  /** Calls back at the end of the event loop's turn. */
  readonly schedule: (flush: () => void) => void;
  /** Announced before anything is played. */
  readonly topics: readonly RecordedTopic[];
};

type Played = {
  readonly channel: Channel;
  readonly instrument: Instrument;
  state: TopicState;
  /** A state, or an event, of it was published: a state that is repeated says nothing new. */
  isKnown: boolean;
  /** Events of it are missing, and none has come since. */
  isBroken: boolean;
};

const KIND_OF_CHANNEL = new Map(EVENT_KINDS.map(({ channel, type }) => [channel, type]));

/**
 * One venue of a recording as a publisher like any other: original instruments and times, sequences
 * of its own. What is missing in the recording shows as the state `gap` of its channel.
 */
export class ReplayVenue {
  readonly venue: string;
  readonly #options: ReplayVenueOptions;
  readonly #publisher: Publisher;
  readonly #streamed: StreamedInstruments;
  readonly #listings: VenueListings;
  readonly #responder: QueryResponder;
  readonly #announcements: Announcements;
  readonly #instruments = new Map<string, Instrument>();
  readonly #played = new Map<RecordedTopic, Played>();
  readonly #books = new Map<Instrument, Played>();
  readonly #counters = createPublisherCounters();
  #unreadable = 0;

  constructor(options: ReplayVenueOptions) {
    this.#options = options;
    const { venue, bus, clock, logger, schedule, identity } = options;
    this.venue = venue;
    const publisher = new Publisher({
      bus,
      clock,
      epoch: identity.epoch,
      limits: PUBLISH_LIMITS_DEFAULTS,
      schedule,
      counters: this.#counters,
      logger,
    });
    this.#publisher = publisher;
    this.#listings = new VenueListings({ venue, clock, emit: (each) => publisher.publish(each) });
    this.#streamed = new StreamedInstruments({
      onChange: () => this.#announcements?.announce(),
      onListing: (change) => this.#listings.tell(change),
    });
    const view = {
      venue,
      streamed: this.#streamed,
      listings: this.#listings,
      publisher,
      liveBookOf: (instrument: Instrument) => this.#books.get(instrument)?.state.book,
    };
    const common = { bus, clock, logger, venues: [view], publisherId: identity.publisherId };
    this.#responder = new QueryResponder(common);
    const announceIntervalMs = ANNOUNCE_INTERVAL_MS_DEFAULT;
    this.#announcements = new Announcements({ ...common, announceIntervalMs });
    for (const topic of options.topics) this.#playedOf(topic);
    this.#responder.start();
    this.#announcements.start();
  }

  /** Events that were published. */
  get events(): number {
    return this.#counters.events;
  }

  /** Batches that could not be read. */
  get unreadableBatches(): number {
    return this.#unreadable;
  }

  /** What it streams. */
  get streams() {
    return this.#streamed.page("", Number.MAX_SAFE_INTEGER).instruments;
  }

  /** Publishes an entry of the venue. */
  play(entry: RecordedEntry): void {
    if (entry.topic.channel === "listings") return;
    const played = this.#playedOf(entry.topic);
    if (entry.kind === "notice") {
      this.#playNotice(played, entry.notice);
      return;
    }
    if (entry.held && played.isKnown && !played.isBroken) return;
    const rows = this.#rowsOf(entry);
    if (played.isBroken) this.#tell(played, "live", "recording");
    played.isBroken = false;
    for (const row of rows) {
      played.state.apply(row);
      this.#publish(played, row);
    }
  }

  /** What was played leads to nothing any more. */
  reset(): void {
    for (const played of this.#played.values()) {
      played.state = new TopicState(played.channel);
      played.isBroken = false;
    }
  }

  /** Takes an entry into the state, without publishing it. */
  absorb(entry: RecordedEntry): void {
    if (entry.topic.channel === "listings" || entry.kind === "notice") return;
    const { state } = this.#playedOf(entry.topic);
    for (const row of this.#rowsOf(entry)) state.apply(row);
  }

  /** Publishes the states, for whoever had those of another time. */
  restate(): void {
    for (const played of this.#played.values()) {
      const rows = played.state.rows()?.rows ?? this.#emptied(played);
      for (const row of rows) this.#publish(played, row);
    }
  }

  /** Publishes what waits for the end of the turn. */
  flush(): void {
    this.#publisher.flush();
  }

  /** Says that it leaves, and answers nothing more. */
  close(): void {
    this.#publisher.flush();
    this.#announcements.close();
    this.#responder.close();
    this.#listings.close();
  }

  /** A book of which nothing is known at this time is empty. */
  #emptied({ channel, isKnown, state }: Played): readonly AnyRow[] {
    if (channel !== "book" || !isKnown) return [];
    const receivedTimeUs = this.#options.clock.nowUs();
    const row = {
      venueTimeUs: undefined,
      receivedTimeUs,
      snapshot: true,
      priceScale: 0,
      sizeScale: 0,
      bids: { prices: [], sizes: [] },
      asks: { prices: [], sizes: [] },
    };
    state.apply(row);
    return [row];
  }

  #playNotice(played: Played, notice: RecordedNotice): void {
    if (notice.kind !== "gap" || played.channel === "status") return;
    played.isBroken = true;
    this.#tell(played, "gap", "recording-gap");
  }

  /** Says on the channel `status` what a channel is worth. */
  #tell({ instrument, channel }: Played, state: "gap" | "live", reason: StatusReason): void {
    const nowUs = this.#options.clock.nowUs();
    this.#publisher.publish({
      kind: "status",
      instrument,
      venueTimeUs: undefined,
      receivedTimeUs: nowUs,
      channel,
      state,
      reason,
      sinceTimeUs: nowUs,
    });
  }

  #publish(played: Played, row: AnyRow): void {
    const { channel, instrument } = played;
    // A change of a book that nobody has a whole one of cannot be used.
    if (channel === "book" && played.state.book === undefined) return;
    played.isKnown = true;
    const kind = KIND_OF_CHANNEL.get(channel);
    assert(kind !== undefined, "every channel has a kind of events");
    if (channel === "candles" && "intervalMs" in row && row.intervalMs !== undefined) {
      this.#addCandles(instrument, row.intervalMs);
    }
    // A row of a kind has all that an event of it has, but the instrument.
    this.#publisher.publish({ ...row, kind, instrument } as MarketEvent);
  }

  #addCandles(instrument: Instrument, intervalMs: number): void {
    if (this.#streamed.hasCandles(instrument, intervalMs)) return;
    this.#streamed.add([{ instrument, channel: "candles" }], [intervalMs]);
  }

  #rowsOf(entry: RecordedEntry & { readonly kind: "events" }): readonly AnyRow[] {
    try {
      return rowsOf(readBusEvents(readBusBatch(entry.bytes))).rows;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#unreadable += 1;
      return [];
    }
  }

  #playedOf(topic: RecordedTopic): Played {
    let played = this.#played.get(topic);
    if (played !== undefined) return played;
    const { channel, symbol, candleIntervalsMs } = topic;
    const { venue } = this;
    let instrument = this.#instruments.get(symbol);
    if (instrument === undefined) {
      instrument = { ...topic.instrument, venue };
      this.#instruments.set(symbol, instrument);
    }
    const state = new TopicState(channel);
    played = { channel, instrument, state, isKnown: false, isBroken: false };
    this.#played.set(topic, played);
    if (channel === "book") this.#books.set(instrument, played);
    // The list of the replay is its own: it has what is replayed.
    if (symbol !== MARKET_SYMBOL) {
      this.#streamed.add([{ instrument, channel }], channel === "candles" ? candleIntervalsMs : []);
    }
    return played;
  }
}
