import {
  channelFromWire,
  readBusBatch,
  readBusEvents,
  rowsOf,
  WireError,
} from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { EVENT_KINDS } from "@tickwire/proto/model";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusMessage, BusSubscription } from "#bus/bus.ts";
import {
  announceSubject,
  eventPattern,
  eventSubject,
  parseEventSubject,
  querySubject,
} from "#bus/subject.ts";
import type { Clock } from "#core/clock.ts";
import { MARKET_SYMBOL } from "#core/instrument.ts";
import type { Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { isChannel } from "#core/topic.ts";
import {
  decodeAnnouncement,
  decodeHistoryReply,
  decodePositionsReply,
  decodeQueryReply,
  encodeHistoryRequest,
  encodePositionsRequest,
} from "#wire/bus-codec.ts";
import { channelNumberOf } from "#wire/codes.ts";
import type { LedTerm } from "../leadership/leader.ts";
import type { Publisher } from "../publisher.ts";
import type { StreamedInstruments } from "../streamed-instruments.ts";
import type { TopicRecord } from "../topic-record.ts";

/** What is followed, and where it is kept. */
type LeaderFeedParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly venue: string;
  readonly streamed: StreamedInstruments;
  readonly market: Instrument;
  /** Its topics become what the leader's are. */
  readonly publisher: Publisher;
  readonly listener: {
    /** The leader has published an event that may not be left out or doubled. */
    onOccurrence(event: Extract<MarketEvent, { readonly kind: "trade" | "liquidation" }>): void;
    /** Something that the leader has published is not known of this instrument. */
    onHole(instrument: Instrument): void;
    /** From now on all that the leader publishes is known. */
    onSynced(): void;
  };
  readonly counters: FollowCounters;
};

/** Counts of what is followed. */
export type FollowCounters = {
  events: number;
  /** Batches of an epoch that is not followed. */
  foreignBatches: number;
  /** Batches that cannot be read. */
  badBatches: number;
  /** Holes in what was followed that its publisher filled, and those that it did not. */
  holesFilled: number;
  holesLeft: number;
};

const QUERY_TIMEOUT_MS = 2_000;
/** Holes that are filled at one time. */
const FILLS_MAX = 4;
/** Pages of one answer; a leader with more topics or a longer history has something wrong. */
const PAGES_MAX = 256;

const KIND_OF_CHANNEL = new Map<string, MarketEvent["kind"]>(
  EVENT_KINDS.map(({ channel, type }) => [channel, type]),
);

/**
 * Follows what another ingestor publishes of a venue, so that ours can go on exactly where it ends:
 * each topic gets the same batches, events and sequences. What the bus loses is fetched from the
 * leader.
 */
export class LeaderFeed {
  readonly #parts: LeaderFeedParts;
  #term: LedTerm | undefined;
  #subscriptions: BusSubscription[] = [];
  /** All that the leader had published before is known by its position. */
  #isSynced = false;
  #isAsking = false;
  readonly #filling = new Set<TopicRecord>();
  readonly #waiting: TopicRecord[] = [];
  /** Topics that go on from an unknown place. */
  readonly #holes = new Set<TopicRecord>();

  constructor(parts: LeaderFeedParts) {
    this.#parts = parts;
  }

  get term(): LedTerm | undefined {
    return this.#term;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Follows this one in the place of whoever was followed. */
  follow(term: LedTerm): void {
    this.stop();
    this.#term = term;
    const { bus, venue } = this.#parts;
    try {
      this.#subscriptions = [
        bus.subscribe(eventPattern(venue), (message) => this.#onBatch(message)),
        bus.subscribe(announceSubject(venue), (message) => this.#onAnnouncement(message)),
      ];
    } catch (error) {
      // The bus is closed, and so is this process about to.
      if (!(error instanceof BusError)) throw error;
    }
    this.look();
  }

  /** Asks where topics stand, unless that is known. To be called now and then. */
  look(): void {
    const { streamed } = this.#parts;
    // Before our own list is whole, the position of most topics would be nobody's.
    if (this.#isSynced || this.#isAsking || this.#term === undefined || !streamed.complete) return;
    this.#isAsking = true;
    // It rejects only if we have a bug, and then the process ends.
    void this.#askPositions(this.#term).then((isWhole) => {
      this.#isAsking = false;
      if (!isWhole) return;
      this.#isSynced = true;
      this.#parts.listener.onSynced();
    });
  }

  /** Whether the topic stands exactly where the leader's did when it was heard last. */
  isExact(topic: TopicRecord): boolean {
    return this.#isSynced && !this.#filling.has(topic) && !this.#holes.has(topic);
  }

  /** Follows nobody any more. Idempotent. */
  stop(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
    this.#term = undefined;
    this.#isSynced = false;
    this.#isAsking = false;
    this.#filling.clear();
    this.#waiting.length = 0;
    this.#holes.clear();
  }

  #onBatch({ subject, payload }: BusMessage): void {
    const { counters, publisher } = this.#parts;
    const topic = parseEventSubject(subject);
    const kind = topic === undefined ? undefined : KIND_OF_CHANNEL.get(topic.channel);
    const batch = readBatch(payload);
    if (topic === undefined || kind === undefined || batch === undefined) {
      counters.badBatches += 1;
      return;
    }
    if (batch.epoch !== this.#term?.epoch) {
      counters.foreignBatches += 1;
      return;
    }
    const instrument = this.#instrumentOf(topic.symbol);
    if (instrument === undefined) {
      publisher.noteAbsent(subject, batch.baseSequence + batch.count);
      return;
    }
    // Of a topic that is new since the leader said where each stands, everything is known.
    const start = this.#isSynced ? 0 : batch.baseSequence;
    this.#take(publisher.ensureTopic(instrument, kind, start), batch);
  }

  #take(topic: TopicRecord, batch: BusBatch): void {
    if (this.#filling.has(topic)) return;
    const { baseSequence, count } = batch;
    if (this.#holes.delete(topic)) topic.jumpTo(baseSequence);
    if (baseSequence + count <= topic.sequence) return;
    if (baseSequence === topic.sequence) this.#apply(topic, batch);
    else this.#fill(topic);
  }

  #apply(topic: TopicRecord, batch: BusBatch): void {
    const { counters, clock, listener } = this.#parts;
    const events = eventsOf(topic, batch);
    if (events === undefined) {
      counters.badBatches += 1;
      this.#leaveHole(topic);
      return;
    }
    counters.events += events.length;
    topic.follow(batch, events, clock.monotonicUs() / 1_000);
    for (const event of events) {
      if (event.kind === "trade" || event.kind === "liquidation") listener.onOccurrence(event);
    }
  }

  /** The leader says where topics stand: what it has published and did not come is fetched. */
  #onAnnouncement({ payload }: BusMessage): void {
    const term = this.#term;
    const announcement = readAnnouncement(payload);
    if (term === undefined || announcement === undefined) return;
    if (announcement.ingestorId !== term.publisherId || announcement.epoch !== term.epoch) return;
    for (const { symbol, channel, sequence } of announcement.progress) {
      const topic = this.#topicAt(symbol, channelFromWire(channel), this.#isSynced ? 0 : sequence);
      if (topic !== undefined && topic.sequence < sequence) this.#fill(topic);
    }
  }

  #fill(topic: TopicRecord): void {
    if (this.#filling.has(topic)) return;
    this.#filling.add(topic);
    if (this.#filling.size > FILLS_MAX) this.#waiting.push(topic);
    else this.#runFill(topic);
  }

  #runFill(topic: TopicRecord): void {
    const term = this.#term;
    if (term === undefined) return;
    void this.#fetch(topic, term).then((isFilled) => {
      if (this.#term === term) this.#filled(topic, isFilled);
    });
  }

  #filled(topic: TopicRecord, isFilled: boolean): void {
    this.#filling.delete(topic);
    if (isFilled) this.#parts.counters.holesFilled += 1;
    else this.#leaveHole(topic);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#runFill(next);
  }

  #leaveHole(topic: TopicRecord): void {
    this.#parts.counters.holesLeft += 1;
    this.#holes.add(topic);
    this.#parts.listener.onHole(topic.instrument);
  }

  /** False if the leader does not have what follows, or does not answer. */
  async #fetch(topic: TopicRecord, term: LedTerm): Promise<boolean> {
    const { venue } = this.#parts;
    const { symbol } = topic.instrument;
    const address = { venue, publisherId: term.publisherId, channel: topic.channel, symbol };
    const subject = querySubject({ ...address, query: "history" });
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const request = encodeHistoryRequest({ epoch: term.epoch, afterSequence: topic.sequence });
      const answer = await this.#ask(subject, request, decodeHistoryReply);
      if (answer === undefined || this.#term !== term) return false;
      for (const batch of answer.batches) {
        if (batch.baseSequence !== topic.sequence || batch.epoch !== term.epoch) return false;
        this.#apply(topic, batch);
        if (this.#holes.has(topic)) return false;
      }
      if (topic.sequence >= answer.sequence) return true;
      if (answer.batches.length === 0) return false;
    }
    return false;
  }

  /** False if it could not be found out. */
  async #askPositions(term: LedTerm): Promise<boolean> {
    const { venue, publisher } = this.#parts;
    const subject = querySubject({ venue, publisherId: term.publisherId, query: "positions" });
    let skippedTopics = 0;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const request = encodePositionsRequest({ skippedTopics });
      const answer = await this.#ask(subject, request, decodePositionsReply);
      if (answer === undefined || this.#term !== term || answer.epoch !== term.epoch) return false;
      for (const { symbol, channel, sequence } of answer.topics) {
        const name = channelFromWire(channel);
        const topic = this.#topicAt(symbol, name, sequence);
        if (topic !== undefined && topic.sequence < sequence) this.#fill(topic);
        if (topic === undefined && isChannel(name)) {
          publisher.noteAbsent(eventSubject({ venue, channel: name, symbol }), sequence);
        }
      }
      if (!answer.more) return true;
      skippedTopics += answer.topics.length;
    }
    return false;
  }

  /** The decoded answer; undefined if there is none that can be used. */
  async #ask<Answer>(
    subject: string,
    request: Uint8Array,
    decode: (payload: Uint8Array) => Answer,
  ): Promise<Answer | undefined> {
    try {
      const timeoutMs = QUERY_TIMEOUT_MS;
      const reply = decodeQueryReply(
        await this.#parts.bus.request(subject, request, { timeoutMs }),
      );
      return reply.error === undefined ? decode(reply.payload) : undefined;
    } catch (error) {
      if (error instanceof BusError || error instanceof WireError) return undefined;
      throw error;
    }
  }

  #topicAt(symbol: string, channel: string, start: number): TopicRecord | undefined {
    const instrument = this.#instrumentOf(symbol);
    const kind = KIND_OF_CHANNEL.get(channel);
    if (instrument === undefined || kind === undefined) return undefined;
    return this.#parts.publisher.ensureTopic(instrument, kind, start);
  }

  #instrumentOf(symbol: string): Instrument | undefined {
    const { market, streamed } = this.#parts;
    return symbol === MARKET_SYMBOL ? market : streamed.bySymbol(symbol);
  }
}

/** A batch of news; undefined if it cannot be read or is none. */
function readBatch(payload: Uint8Array): BusBatch | undefined {
  try {
    const batch = readBusBatch(payload);
    return batch.snapshot || batch.skipped > 0 || batch.count === 0 ? undefined : batch;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The events of a batch; undefined if they cannot be read or are not of the topic. */
function eventsOf(topic: TopicRecord, batch: BusBatch): readonly MarketEvent[] | undefined {
  const { instrument, channel } = topic;
  if (batch.channel !== channelNumberOf(channel)) return undefined;
  try {
    const { rows } = rowsOf(readBusEvents(batch));
    const kind = KIND_OF_CHANNEL.get(channel);
    // A row has all that an event of its kind has but these two.
    return rows.map((row) => Object.assign(row, { kind, instrument }) as unknown as MarketEvent);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function readAnnouncement(payload: Uint8Array) {
  try {
    return decodeAnnouncement(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
