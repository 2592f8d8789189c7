import type { Bus } from "#bus/bus.ts";
import { BusError } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { Logger } from "#core/logger.ts";
import { encodeEvents } from "#wire/event-codec.ts";
import type { LatencyBoard } from "./latency-histogram.ts";
import type { PublishLimits } from "./publish-limits.ts";
import { TopicRecord } from "./topic-record.ts";

/** Counts that the publisher keeps up to date; shared with the metrics. */
export type PublisherCounters = {
  events: number;
  batches: number;
  bytes: number;
  /** Batches that the bus did not take. Whoever reads the topic sees the hole in its sequence. */
  failures: number;
};

type PublisherOptions = {
  /** Without a bus, events get their positions and go nowhere else. */
  readonly bus?: Bus;
  /** Stamps the publishing time. */
  readonly clock: Clock;
  /** Of this start of the publisher; sequences of another epoch do not compare. */
  readonly epoch: number;
  readonly limits: PublishLimits;
  /** Calls back at the end of the event loop's turn. */
  readonly schedule: (flush: () => void) => void;
  readonly counters: PublisherCounters;
  /** Where latencies are counted, once per batch. */
  readonly latencies?: LatencyBoard;
  readonly logger: Logger;
  /** Called for every event when it gets its position. */
  readonly onEvent?: (event: MarketEvent, sequence: number) => void;
};

type Topics = Partial<Record<MarketEvent["kind"], TopicRecord>>;

/**
 * Gives every event its sequence, and publishes the events of one topic and one turn of the event
 * loop as one batch on the bus. Events of a topic keep their order; topics have none among them.
 */
export class Publisher {
  readonly epoch: number;
  readonly #options: PublisherOptions;
  readonly #topics = new Map<Instrument, Topics>();
  #dirty: TopicRecord[] = [];
  #scheduled = false;
  #failing = false;
  /** Most events are about the instrument of the event before. */
  #lastInstrument: Instrument | undefined;
  #lastTopics: Topics | undefined;

  constructor(options: PublisherOptions) {
    assert(options.limits.batchEventsMax > 0, "a batch has room for at least one event");
    this.#options = options;
    this.epoch = options.epoch;
  }

  /** Takes the next event of its topic. It is on the bus at the end of this turn at the latest. */
  publish(event: MarketEvent): void {
    const topic = this.#topicOf(event);
    const sequence = topic.advance();
    const { bus, limits, counters, onEvent } = this.#options;
    counters.events += 1;
    onEvent?.(event, sequence);
    if (bus === undefined) return;
    topic.keep(event);
    const { pendingCount } = topic;
    assert(pendingCount <= limits.batchEventsMax, "no batch is longer than batchEventsMax");
    if (pendingCount === 1) this.#markDirty(topic);
    if (pendingCount === limits.batchEventsMax) this.#flushTopic(topic);
  }

  /** Publishes everything that waits. */
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const topic of dirty) this.#flushTopic(topic);
  }

  /**
   * The topic, with nothing waiting: what it says is what has been published. Undefined before the
   * first event.
   */
  settledTopic(instrument: Instrument, channel: Channel): TopicRecord | undefined {
    const topics = this.#topics.get(instrument);
    if (topics === undefined) return undefined;
    for (const topic of Object.values(topics)) {
      if (topic.channel !== channel) continue;
      this.#flushTopic(topic);
      return topic;
    }
    return undefined;
  }

  #topicOf(event: MarketEvent): TopicRecord {
    const { instrument, kind } = event;
    let topics = this.#lastTopics;
    if (instrument !== this.#lastInstrument || topics === undefined) {
      topics = this.#topics.get(instrument);
      if (topics === undefined) {
        topics = {};
        this.#topics.set(instrument, topics);
      }
      this.#lastInstrument = instrument;
      this.#lastTopics = topics;
    }
    return topics[kind] ?? this.#addTopic(topics, event);
  }

  #addTopic(topics: Topics, event: MarketEvent): TopicRecord {
    const { instrument, kind } = event;
    const { venue, symbol } = instrument;
    const channel = CHANNEL_OF_KIND[kind];
    const topic = new TopicRecord({
      instrument,
      channel,
      subject: eventSubject({ venue, channel, symbol }),
      latency: this.#options.latencies?.of({ venue, channel }),
      limits: this.#options.limits,
    });
    topics[kind] = topic;
    return topic;
  }

  #markDirty(topic: TopicRecord): void {
    this.#dirty.push(topic);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.schedule(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  #flushTopic(topic: TopicRecord): void {
    const batch = topic.takePending();
    if (batch !== undefined) this.#publishBatch(topic, batch.events, batch.firstSequence);
  }

  #publishBatch(topic: TopicRecord, events: readonly MarketEvent[], firstSequence: number): void {
    const { bus, clock, counters } = this.#options;
    if (bus === undefined) return;
    assert(events.length > 0, "a batch has events");
    const publishedTimeUs = clock.nowUs();
    const header = { epoch: this.epoch, firstSequence, publishedTimeUs };
    const payload = encodeEvents(header, events);
    if (payload.length > bus.payloadBytesMax && events.length > 1) {
      const half = events.length >> 1;
      this.#publishBatch(topic, events.slice(0, half), firstSequence);
      this.#publishBatch(topic, events.slice(half), firstSequence + half);
      return;
    }
    try {
      bus.publish(topic.subject, payload);
      counters.batches += 1;
      counters.bytes += payload.length;
      observeLatency(topic, events, publishedTimeUs);
      this.#failing = false;
    } catch (error) {
      this.#onFailure(topic, error);
    }
  }

  /** The feeds go on when the bus does not take a batch: readers see the hole in the sequence. */
  #onFailure(topic: TopicRecord, error: unknown): void {
    if (!(error instanceof BusError)) throw error;
    this.#options.counters.failures += 1;
    if (this.#failing) return;
    this.#failing = true;
    const { code, message } = error;
    this.#options.logger.error(
      { subject: topic.subject, code, message },
      "the bus did not take a batch",
    );
  }
}

/**
 * The first event has waited longest for its batch; the last one tells how old the venue's news is.
 * Old trades sent on subscribe are no news.
 */
function observeLatency(
  { latency }: TopicRecord,
  events: readonly MarketEvent[],
  publishedTimeUs: number,
): void {
  const first = events[0];
  const last = events.at(-1);
  if (latency === undefined || first === undefined || last === undefined) return;
  latency.receivedToPublished.observe(publishedTimeUs - first.receivedTimeUs);
  if (last.venueTimeUs === undefined || (last.kind === "trade" && last.historical)) return;
  latency.venueToReceived.observe(last.receivedTimeUs - last.venueTimeUs);
}
