import type { BusBatch, PendingColumns } from "@tickwire/proto/codec";
import type { Bus } from "#bus/bus.ts";
import { BusError } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { MarketTick } from "#core/market-tick.ts";
import type { Logger } from "#core/logger.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import { observeEvents, observeTicks } from "./publish-latency.ts";
import type { PublishLatencies } from "./publish-latency.ts";
import { PROGRESS_REPEATS } from "./publish-limits.ts";
import type { PublishLimits } from "./publish-limits.ts";
import { DirtyTopics } from "./dirty-topics.ts";
import { type InstrumentTopics, noTopics, topicsIn } from "./instrument-topics.ts";
import { TopicRecord } from "./topic-record.ts";
import type { TopicPosition } from "./topic-record.ts";
import { eventsOfColumns } from "./tick-columns.ts";

/** Counts that the publisher keeps up to date; shared with the metrics. */
export type PublisherCounters = {
  events: number;
  batches: number;
  bytes: number;
  /**
   * Events that the bus did not take, by venue and channel. Whoever reads the topic sees the hole
   * in its sequence.
   */
  readonly failures: UntakenEvents[];
  /** Memory of the topics' histories. */
  historyBytes: number;
};

type UntakenEvents = { readonly venue: string; readonly channel: Channel; events: number };

/** All zero. */
export function createPublisherCounters(): PublisherCounters {
  return { events: 0, batches: 0, bytes: 0, failures: [], historyBytes: 0 };
}

type PublisherOptions = {
  /** Without a bus, events get their positions and go nowhere else. */
  readonly bus?: Bus;
  /** Stamps the publishing time. */
  readonly clock: Clock;
  /**
   * Of the term of the publisher; sequences of another epoch do not compare. 0 for one that follows
   * another and has no term yet.
   */
  readonly epoch: number;
  readonly limits: PublishLimits;
  /** Shared by the publishers of a process; one of its own if absent. */
  readonly historyBudget?: ByteBudget;
  /** Asked before each batch: false keeps it back, and `withdraw` has been called by then. */
  readonly maySend?: () => boolean;
  /** Calls back at the end of the event loop's turn. */
  readonly schedule: (flush: () => void) => void;
  readonly counters: PublisherCounters;
  /** Where latencies are counted, once per batch. */
  readonly latencies?: PublishLatencies;
  readonly logger: Logger;
  /** Called for every event when it gets its position. */
  readonly onEvent?: (event: MarketEvent, sequence: number) => void;
};

/** Where a topic stands on the bus. */
export type TopicProgress = {
  readonly venue: string;
  readonly symbol: string;
  readonly channel: Channel;
  /** Of the last event that was given to the bus. */
  readonly sequence: number;
};

/** Topics of instruments that are gone whose sequences are remembered; of more, the oldest go. */
export const RETIRED_TOPICS_MAX = 20_000;

/** The term that another one goes on from. */
type ContinuedTerm = {
  readonly epoch: number;
  /** Whether the topic ended, in that epoch, exactly where it stands. */
  readonly isExact: (topic: TopicRecord) => boolean;
  /** Whether nothing was published in that epoch of topics that are not here. */
  readonly isWhole: boolean;
};

/**
 * Gives every event its sequence, and publishes the events of one topic and one turn of the event
 * loop as one batch on the bus. Events of a topic keep their order; topics have none among them.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  // What each event and batch needs, so that it is not looked up in options of whatever shape.
  readonly #bus: Bus | undefined;
  readonly #clock: Clock;
  readonly #counters: PublisherCounters;
  readonly #maySend: (() => boolean) | undefined;
  readonly #batchEventsMax: number;
  #epoch: number;
  /** The epoch that topics of which nothing was published in it go on from. */
  #continuedEpoch: number | undefined;
  #absentContinue = false;
  readonly #topics = new Map<Instrument, InstrumentTopics>();
  readonly #historyBudget: ByteBudget;
  readonly #dirty = new DirtyTopics();
  readonly #flushEach = (topic: TopicRecord): void => this.#flushTopic(topic);
  readonly #flushTurn = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  /** Of the batch that is remembered: written anew for each. Its time has fractions. */
  readonly #place = { count: 0, lastSequence: 0, nowMs: 0.5, isChained: false };
  /** Topics whose `progressRepeats` is not 0. */
  #moved: TopicRecord[] = [];
  #scheduled = false;
  #failing = false;
  /** Most events are about the instrument of the event before. */
  #lastInstrument: Instrument | undefined;
  #lastTopics: InstrumentTopics | undefined;
  /** Sequences of topics of instruments that are gone, by subject. */
  readonly #retired = new Map<string, number>();

  constructor(options: PublisherOptions) {
    assert(options.limits.batchEventsMax > 0, "a batch has room for at least one event");
    this.#options = options;
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#counters = options.counters;
    this.#maySend = options.maySend;
    this.#batchEventsMax = options.limits.batchEventsMax;
    const { historyTotalBytesMax: bytesMax } = options.limits;
    this.#historyBudget = options.historyBudget ?? new ByteBudget({ bytesMax });
    this.#epoch = options.epoch;
  }

  /** Of the term; 0 while it follows another publisher. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The epoch that this term goes on from; undefined if it began anew. */
  get continuedEpoch(): number | undefined {
    return this.#continuedEpoch;
  }

  /** What a topic without any event goes on from; undefined if that is unknown. */
  get absentContinued(): TopicPosition | undefined {
    const epoch = this.#continuedEpoch;
    return this.#absentContinue && epoch !== undefined ? { epoch, sequence: 0 } : undefined;
  }

  /** Takes the next event of its topic. It is on the bus at the end of this turn at the latest. */
  publish(event: MarketEvent): void {
    assert(this.#epoch > 0, "whoever publishes has a term");
    const topic = this.#topicOf(event);
    const sequence = topic.advance();
    this.#counters.events += 1;
    this.#options.onEvent?.(event, sequence);
    if (this.#bus === undefined) return;
    topic.keep(event);
    this.#onKept(topic);
  }

  /** The same for a tick, which is the caller's again afterwards. */
  publishTick(tick: MarketTick): void {
    if (this.#bus === undefined || this.#options.onEvent !== undefined) {
      this.publish(tick.event());
      return;
    }
    assert(this.#epoch > 0, "whoever publishes has a term");
    const topic = this.#topicOfTick(tick);
    topic.advance();
    this.#counters.events += 1;
    topic.keepTick(tick);
    this.#onKept(topic);
  }

  #onKept(topic: TopicRecord): void {
    const { pendingCount } = topic;
    assert(pendingCount <= this.#batchEventsMax, "no batch is longer than batchEventsMax");
    if (pendingCount === 1) this.#markDirty(topic);
    if (pendingCount === this.#batchEventsMax) this.#flushTopic(topic);
  }

  /** Publishes everything that waits. */
  flush(): void {
    this.#dirty.takeAll(this.#flushEach);
  }

  /**
   * The topic, with nothing waiting: what it says is what has been published. Undefined before the
   * first event.
   */
  settledTopic(instrument: Instrument, channel: Channel): TopicRecord | undefined {
    const topics = this.#topics.get(instrument);
    if (topics === undefined) return undefined;
    for (const topic of topicsIn(topics)) {
      if (topic.channel !== channel) continue;
      this.#flushTopic(topic);
      return topic;
    }
    return undefined;
  }

  /**
   * An instrument is gone: what waits is published, and nothing is kept of it but how far its
   * topics came. Should it come back, their sequences go on from there, because a sequence is never
   * given twice in an epoch.
   */
  retire(instrument: Instrument): void {
    const topics = this.#topics.get(instrument);
    if (topics === undefined) return;
    for (const topic of topicsIn(topics)) {
      this.#flushTopic(topic);
      topic.history.release();
      this.#retired.set(topic.subject, topic.sequence);
    }
    this.#topics.delete(instrument);
    this.#lastInstrument = undefined;
    this.#lastTopics = undefined;
    this.#trimRetired();
  }

  #trimRetired(): void {
    for (const oldest of this.#retired.keys()) {
      if (this.#retired.size <= RETIRED_TOPICS_MAX) return;
      this.#retired.delete(oldest);
    }
  }

  /**
   * Where the topics stand that moved since this was called PROGRESS_REPEATS times: each is named
   * that often after it moved.
   */
  takeProgress(): TopicProgress[] {
    const moved = this.#moved;
    for (const topic of moved) topic.progressRepeats -= 1;
    this.#moved = moved.filter(({ progressRepeats }) => progressRepeats > 0);
    return moved.map(({ instrument, channel, publishedSequence }) => {
      const { venue, symbol } = instrument;
      return { venue, symbol, channel, sequence: publishedSequence };
    });
  }

  /** The topic as it is, with what waits; undefined if there is none. */
  topic(instrument: Instrument, kind: MarketEvent["kind"]): TopicRecord | undefined {
    return this.#topics.get(instrument)?.[kind];
  }

  /** The topic, which begins at a sequence if there is none yet. For whoever follows another. */
  ensureTopic(instrument: Instrument, kind: MarketEvent["kind"], sequence: number): TopicRecord {
    let topics = this.#topics.get(instrument);
    if (topics === undefined) {
      topics = noTopics();
      this.#topics.set(instrument, topics);
    }
    return topics[kind] ?? this.#addTopic(topics, { instrument, kind }, sequence);
  }

  /** A topic of an instrument that is not there stands at this sequence, should it come. */
  noteAbsent(subject: string, sequence: number): void {
    this.#retired.set(subject, Math.max(sequence, this.#retired.get(subject) ?? 0));
    this.#trimRetired();
  }

  /** Every topic that there is. */
  *allTopics(): Iterable<TopicRecord> {
    for (const topics of this.#topics.values()) yield* topicsIn(topics);
  }

  /**
   * From now on it publishes. Topics go on with the sequences that they have; `continues` says of
   * which of them that is exact, and in the place of which epoch.
   */
  beginTerm(epoch: number, continues?: ContinuedTerm): void {
    assert(epoch > 0, "a term has an epoch");
    this.#epoch = epoch;
    this.#continuedEpoch = continues?.epoch;
    this.#absentContinue = continues?.isWhole ?? false;
    for (const topic of this.allTopics()) {
      topic.beginTerm(epoch, continues?.isExact(topic) === true ? continues.epoch : undefined);
      // Whoever comes from the old epoch is told where the topic stands.
      if (topic.progressRepeats === 0) this.#moved.push(topic);
      topic.progressRepeats = PROGRESS_REPEATS;
    }
  }

  /** Takes back everything that waits for a batch, oldest first in each topic. */
  withdraw(): readonly MarketEvent[] {
    this.#dirty.clear();
    const events: MarketEvent[] = [];
    for (const topic of this.allTopics()) {
      if (topic.pendingCount > 0) events.push(...topic.withdrawPending());
    }
    return events;
  }

  /** Forgets every topic: the term is over, and what another one publishes is followed. */
  endTerm(): void {
    for (const topic of this.allTopics()) topic.history.release();
    this.#topics.clear();
    this.#retired.clear();
    this.#dirty.clear();
    this.#moved = [];
    this.#epoch = 0;
    this.#continuedEpoch = undefined;
    this.#absentContinue = false;
    this.#lastInstrument = undefined;
    this.#lastTopics = undefined;
    this.#options.counters.historyBytes = this.#historyBudget.bytes;
  }

  #topicOf(event: MarketEvent): TopicRecord {
    const topics = this.#topicsOf(event.instrument);
    return topics[event.kind] ?? this.#addTopic(topics, event);
  }

  #topicOfTick(tick: MarketTick): TopicRecord {
    const topics = this.#topicsOf(tick.instrument);
    switch (tick.kind) {
      case "trade":
        return topics.trade ?? this.#addTopic(topics, tick);
      case "quote":
        return topics.quote ?? this.#addTopic(topics, tick);
      case "book":
        return topics.book ?? this.#addTopic(topics, tick);
    }
  }

  #topicsOf(instrument: Instrument): InstrumentTopics {
    if (instrument === this.#lastInstrument && this.#lastTopics !== undefined) {
      return this.#lastTopics;
    }
    let topics = this.#topics.get(instrument);
    if (topics === undefined) {
      topics = noTopics();
      this.#topics.set(instrument, topics);
    }
    this.#lastInstrument = instrument;
    this.#lastTopics = topics;
    return topics;
  }

  #addTopic(
    topics: InstrumentTopics,
    { instrument, kind }: Pick<MarketEvent, "instrument" | "kind">,
    start = 0,
  ): TopicRecord {
    const { venue, symbol } = instrument;
    const channel = CHANNEL_OF_KIND[kind];
    const subject = eventSubject({ venue, channel, symbol });
    const sequence = Math.max(start, this.#retired.get(subject) ?? 0);
    this.#retired.delete(subject);
    const topic = new TopicRecord({
      instrument,
      channel,
      subject,
      epoch: this.#epoch,
      sequence,
      latency: this.#options.latencies?.of({ venue, channel }),
      limits: this.#options.limits,
      budget: this.#historyBudget,
    });
    if (sequence === 0 && this.#epoch > 0)
      topic.beginTerm(this.#epoch, this.absentContinued?.epoch);
    topics[kind] = topic;
    return topic;
  }

  #markDirty(topic: TopicRecord): void {
    this.#dirty.add(topic);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.schedule(this.#flushTurn);
  }

  #flushTopic(topic: TopicRecord): void {
    const bus = this.#bus;
    const maySend = this.#maySend;
    if (bus === undefined || topic.pendingCount === 0) return;
    if (maySend !== undefined && !maySend()) return;
    const events = topic.hasTicks ? undefined : topic.takePending();
    if (events === undefined && !topic.hasTicks) return;
    if (topic.progressRepeats === 0) this.#moved.push(topic);
    topic.progressRepeats = PROGRESS_REPEATS;
    if (events === undefined) this.#publishTicks(topic, topic.takeTicks(), bus);
    else this.#publishEvents(topic, events, bus);
  }

  #publishTicks(topic: TopicRecord, columns: PendingColumns, bus: Bus): void {
    const publishedTimeUs = this.#clock.nowUs();
    const { count } = columns;
    const batch = topic.encodeTicks(columns, publishedTimeUs);
    if (count > 1 && batch.bytes.length > bus.payloadBytesMax) {
      this.#publishHalves(topic, eventsOfColumns(columns, topic.instrument), bus);
      return;
    }
    this.#remember(topic, batch);
    if (this.#send(topic, batch, bus)) observeTicks(topic.latency, columns, publishedTimeUs);
  }

  #publishEvents(topic: TopicRecord, events: readonly MarketEvent[], bus: Bus): void {
    assert(events.length > 0, "a batch has events");
    const publishedTimeUs = this.#clock.nowUs();
    const batches = topic.encode(events, publishedTimeUs);
    if (events.length > 1 && exceeds(batches, bus.payloadBytesMax)) {
      this.#publishHalves(topic, events, bus);
      return;
    }
    let isTaken = true;
    for (const batch of batches) {
      this.#remember(topic, batch);
      isTaken = this.#send(topic, batch, bus) && isTaken;
    }
    if (isTaken) observeEvents(topic.latency, events, publishedTimeUs);
  }

  /** For events whose batch was encoded, and is larger than the bus takes. */
  #publishHalves(topic: TopicRecord, events: readonly MarketEvent[], bus: Bus): void {
    topic.encodeAgain(events.length);
    const half = events.length >> 1;
    this.#publishEvents(topic, events.slice(0, half), bus);
    this.#publishEvents(topic, events.slice(half), bus);
  }

  /** Whoever misses the batch on the bus can ask for it. */
  #remember({ history }: TopicRecord, batch: BusBatch): void {
    const counters = this.#counters;
    const { baseSequence, count, rebase } = batch;
    const nowMs = this.#clock.monotonicUs() / 1_000;
    const place = this.#place;
    place.count = count;
    place.lastSequence = baseSequence + count;
    place.nowMs = nowMs;
    place.isChained = !rebase;
    history.append(batch, place);
    counters.historyBytes = this.#historyBudget.bytes;
  }

  /** False if the bus did not take it. */
  #send(topic: TopicRecord, batch: BusBatch, bus: Bus): boolean {
    const { bytes, count } = batch;
    const counters = this.#counters;
    try {
      bus.publish(topic.subject, bytes, batch);
    } catch (error) {
      this.#onFailure(topic, count, error);
      return false;
    }
    counters.batches += 1;
    counters.bytes += bytes.length;
    this.#failing = false;
    return true;
  }

  /** The feeds go on when the bus does not take a batch: readers see the hole in the sequence. */
  #onFailure(topic: TopicRecord, events: number, error: unknown): void {
    if (!(error instanceof BusError)) throw error;
    this.#countFailure(topic, events);
    if (this.#failing) return;
    this.#failing = true;
    const { code, message } = error;
    this.#options.logger.error(
      { subject: topic.subject, code, message },
      "the bus did not take a batch",
    );
  }

  #countFailure({ instrument, channel }: TopicRecord, events: number): void {
    const { venue } = instrument;
    const { failures } = this.#options.counters;
    const known = failures.find((each) => each.venue === venue && each.channel === channel);
    if (known === undefined) failures.push({ venue, channel, events });
    else known.events += events;
  }
}

function exceeds(batches: readonly BusBatch[], bytesMax: number): boolean {
  for (const { bytes } of batches) if (bytes.length > bytesMax) return true;
  return false;
}
