import { TickwireError } from "../errors.ts";
import type { MarketEvent } from "../events/market-event.ts";
import { LiteReader, QUOTES, TRADES, type Batch, type Names } from "../lite/batch.ts";
import {
  bytesOf,
  fieldsOf,
  messageBytes,
  messageOf,
  numberOf,
  textOf,
  type Fields,
} from "../lite/wire.ts";
import type { TopicSource } from "../session/client-session.ts";
import type { ClientStats } from "../stats/stream-stats.ts";
import type { Consumer } from "../topics/consumer.ts";
import { continuityNotice } from "../topics/continuity-notice.ts";
import type { Position } from "../topics/position-tracker.ts";
import { createStreamCounters, type StreamCounters } from "../topics/stream-counters.ts";
import type { WireOptions } from "../topics/subscription-entry.ts";
import type { ViewWish } from "../topics/view-wish.ts";
import type { Attachment } from "./opened.ts";

// Kinds of the schema's ServerMessage and ClientMessage.
const SUBSCRIBE_RESULT = 2;
const SUBSCRIBE = 2;

const PLAIN_TOPIC = /^[^*]+\/(trades|quotes)$/;
const NOWHERE: Position = { epoch: 0, sequence: 0 };

/** What the topics need of the session that opens. */
type OpeningHost = {
  readonly nowUs: () => number;
  /** How many topics may be asked for in all. */
  readonly topicsMax: () => number;
  /** False once something came that the opening leaves to what takes over. */
  readonly isGoing: () => boolean;
  /** Sends a message, with which these are asked for. */
  readonly ask: (attachments: readonly Attachment[], message: readonly number[]) => void;
  /** What takes over is needed now. */
  readonly need: () => void;
};

/** A topic that the gateway serves. */
type OpenTopic = {
  readonly names: Names;
  readonly channel: number;
  readonly consumer: Consumer;
  readonly reader: LiteReader;
  /** Undefined before the first batch of a topic whose place the gateway did not say. */
  position: Position | undefined;
};

/** One batch, for its topic. */
type Reading = readonly [topic: OpenTopic, batch: Batch];

/**
 * The topics of a client while its code is on its way. It serves trades and quotes by name as every
 * event, as long as everything follows; the rest, and whatever is out of the ordinary, waits for
 * what takes over.
 */
export class OpeningTopics implements TopicSource {
  readonly #host: OpeningHost;
  readonly #counters: StreamCounters = createStreamCounters();
  readonly #attachments: Attachment[] = [];
  readonly #taken = new Set<string>();
  readonly #topics = new Map<number, OpenTopic>();
  /** What was asked for in each request, the first of which has number 1. */
  readonly #asked: (readonly Attachment[])[] = [];
  #unsent: Attachment[] = [];
  readonly #later: ((topics: TopicSource) => void)[] = [];
  readonly #openedAtUs: number;
  #batches = 0;
  #bytes = 0;
  #isMeasured = false;
  #whole: TopicSource | undefined;

  constructor(host: OpeningHost) {
    this.#host = host;
    this.#openedAtUs = host.nowUs();
  }

  get counters(): StreamCounters {
    return this.#whole?.counters ?? this.#counters;
  }

  /** Before the code has come: totals, and nothing of each topic. */
  stats(): ClientStats {
    if (this.#whole !== undefined) return this.#whole.stats();
    this.#isMeasured = true;
    const overMs = (this.#host.nowUs() - this.#openedAtUs) / 1_000;
    const rate = (total: number) => ({ total, perSecond: overMs > 0 ? (total / overMs) * 1e3 : 0 });
    return {
      overMs,
      events: rate(this.#counters.events),
      batches: rate(this.#batches),
      bytes: rate(this.#bytes),
      missingEvents: 0,
      unknownGaps: 0,
      resumes: 0,
      replacements: 0,
      reconnects: 0,
      moves: 0,
      roundTripMs: undefined,
      clockOffsetUs: undefined,
      venueLag: undefined,
      publishedLag: undefined,
      topics: [],
    };
  }

  /** Throws TickwireError `options-conflict` if a topic is subscribed with other options. */
  attach(
    topics: readonly string[],
    options: WireOptions,
    consumer: Consumer,
    release: () => void,
  ): void {
    if (this.#whole !== undefined) {
      this.#whole.attach(topics, options, consumer, release);
      return;
    }
    this.#assertSameOptions(topics, options);
    const attachment = { topics, options, consumer, release };
    const isPlain =
      isPlainWish(options) &&
      topics.every((topic) => PLAIN_TOPIC.test(topic) && !this.#taken.has(topic)) &&
      this.#taken.size + topics.length <= this.#host.topicsMax();
    this.#attachments.push(attachment);
    for (const topic of topics) this.#taken.add(topic);
    consumer.onClose(() => {
      release();
      // What was asked for is to be given up.
      if (isPlain) this.#host.need();
    });
    if (!isPlain) {
      this.#attachLater(attachment);
      return;
    }
    // Everything asked for in one turn goes into one request.
    if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
    this.#unsent.push(attachment);
  }

  update(topics: readonly string[], wish: Partial<ViewWish>): void {
    if (this.#whole !== undefined) this.#whole.update(topics, wish);
    else {
      this.#later.push((whole) => whole.update(topics, wish));
      this.#host.need();
    }
  }

  /** What was not served here goes to what has taken over, as does what follows. */
  handOver(whole: TopicSource): void {
    this.#whole = whole;
    if (this.#isMeasured) whole.stats();
    for (const each of this.#later.splice(0)) each(whole);
    for (const each of this.#unsent) attachTo(whole, each);
  }

  /** What takes over cannot be had: whoever waits for it is told. */
  failLater(error: TickwireError): void {
    this.#later.length = 0;
    for (const { consumer } of this.#attachments) {
      if (!this.#asked.flat().some((each) => each.consumer === consumer)) consumer.close(error);
    }
  }

  /** Ends every consumer cleanly. */
  close(): void {
    for (const { consumer } of this.#attachments) consumer.close(undefined);
  }

  /**
   * Hands on a frame: how many events it had, or -1 with nothing done if there is anything in it
   * that is not of the ordinary.
   */
  take(bytes: Uint8Array): number {
    const starts = new Map<number, OpenTopic>();
    let readings: readonly Reading[] | undefined;
    try {
      readings = this.#read(fieldsOf(bytes), starts);
    } catch (error) {
      // Of our own faults nothing is hidden.
      if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
    }
    if (readings === undefined) return -1;
    for (const [id, topic] of starts) {
      this.#topics.set(id, topic);
      const at = topic.position ?? NOWHERE;
      topic.consumer.handlers.notice?.(continuityNotice(topic.names, at, "new", "subscribed"));
    }
    let events = 0;
    for (const [topic, batch] of readings) {
      events += batch.count;
      this.#batches += 1;
      topic.position = { epoch: batch.epoch, sequence: lastOf(batch) };
      this.#counters.events += batch.count;
      for (const event of batch.events) {
        // Who closes in a callback is not called again.
        if (!topic.consumer.closed) topic.consumer.handlers.event?.(event as MarketEvent);
      }
    }
    this.#bytes += bytes.length;
    return events;
  }

  /** Undefined for a frame that is not of the ordinary; `starts` gets the topics that begin. */
  #read(frame: Fields, starts: Map<number, OpenTopic>): Reading[] | undefined {
    for (const bytes of bytesOf(frame, 1)) {
      const message = fieldsOf(bytes);
      const result = messageOf(message, SUBSCRIBE_RESULT);
      // Of a field that is not there, an array has nothing at all.
      if (result === undefined || Object.keys(message).length !== 1) return undefined;
      const asked = this.#asked[numberOf(result, 1) - 1];
      const answers = bytesOf(result, 2).map((answer) => fieldsOf(answer));
      if (asked === undefined || !answers.every((each) => this.#start(each, asked, starts))) {
        return undefined;
      }
    }
    const readings: Reading[] = [];
    // Where a topic stands after the batches before, in this frame.
    const reached = new Map<OpenTopic, Batch>();
    for (const bytes of bytesOf(frame, 2)) {
      const fields = fieldsOf(bytes);
      const id = numberOf(fields, 1);
      const topic = starts.get(id) ?? this.#topics.get(id);
      const batch = topic?.reader.read(fields, topic.names);
      if (topic === undefined || batch?.channel !== topic.channel) return undefined;
      // What nobody wants any more is to be given up.
      if (topic.consumer.closed) return undefined;
      const before = reached.get(topic);
      const position = before && { epoch: before.epoch, sequence: lastOf(before) };
      if (!follows(batch, position ?? topic.position)) return undefined;
      reached.set(topic, batch);
      readings.push([topic, batch]);
    }
    return readings;
  }

  /** False for an answer that is not that of a topic which begins as it was asked for. */
  #start(answer: Fields, asked: readonly Attachment[], starts: Map<number, OpenTopic>): boolean {
    const names = asked.flatMap(({ topics }) => topics);
    const topic = names[numberOf(answer, 1)];
    const owner = asked.find(({ topics }) => topics.some((name) => name === topic));
    const id = numberOf(answer, 5);
    // Its error, whether it resumes, its view, where an epoch ended, and what follows of a resume.
    const isNew = numberOf(answer, 11) <= 1 && messageOf(answer, 15) === undefined;
    const zeros = [3, 12, 13, 17].every((field) => numberOf(answer, field) === 0);
    if (owner?.consumer.closed !== false || topic !== textOf(answer, 2) || !isNew || !zeros)
      return false;
    if (id === 0 || this.#topics.has(id) || starts.has(id)) return false;
    const position = messageOf(answer, 10);
    starts.set(id, {
      names: {
        topic,
        venue: textOf(answer, 6),
        symbol: textOf(answer, 7),
        venueSymbol: textOf(answer, 8),
      },
      channel: topic.endsWith("/quotes") ? QUOTES : TRADES,
      consumer: owner.consumer,
      reader: new LiteReader(leaveTexts),
      position: position && { epoch: numberOf(position, 1), sequence: numberOf(position, 2) },
    });
    return true;
  }

  #flush(): void {
    if (this.#whole !== undefined) return;
    const group = this.#unsent.filter(({ consumer }) => !consumer.closed);
    this.#unsent = [];
    if (!this.#host.isGoing()) {
      for (const each of group) this.#attachLater(each);
      return;
    }
    if (group.length === 0) return;
    this.#asked.push(group);
    const topics = group.flatMap((each) => each.topics);
    const wishes = topics.map((topic) => [2, messageBytes([1, topic])] as const);
    const message = messageBytes([1, this.#asked.length], ...wishes);
    this.#host.ask(group, messageBytes([SUBSCRIBE, message]));
  }

  #attachLater(attachment: Attachment): void {
    this.#later.push((whole) => attachTo(whole, attachment));
    this.#host.need();
  }

  #assertSameOptions(topics: readonly string[], options: WireOptions): void {
    for (const { topics: others, options: known, consumer } of this.#attachments) {
      const both = consumer.closed ? undefined : topics.find((topic) => others.includes(topic));
      const has = JSON.stringify(known);
      if (both === undefined || has === JSON.stringify(options)) continue;
      const text = `${both} is subscribed with ${has}; other options need another client`;
      throw new TickwireError("options-conflict", text);
    }
  }
}

/** What attaching throws ends the consumer. */
function attachTo(whole: TopicSource, { topics, options, consumer, release }: Attachment): void {
  if (consumer.closed) return;
  try {
    whole.attach(topics, options, consumer, release);
  } catch (error) {
    if (!(error instanceof TickwireError)) throw error;
    consumer.close(error);
  }
}

/** Numbers of a scale of their own are not of the ordinary. */
function leaveTexts(): never {
  throw new RangeError("numbers that travel as text");
}

function isPlainWish({ depth, conflationIntervalMs, snapshot, checksum }: WireOptions): boolean {
  return depth + conflationIntervalMs === 0 && snapshot && !checksum;
}

function lastOf({ firstSequence, count, snapshot }: Batch): number {
  return snapshot ? firstSequence : firstSequence + count - 1;
}

/** Whether a batch follows a position with nothing between, as most do. */
function follows(batch: Batch, position: Position | undefined): boolean {
  if (position === undefined) return true;
  const { epoch, firstSequence, skipped, snapshot } = batch;
  const from = snapshot ? firstSequence : firstSequence - 1;
  return epoch === position.epoch && skipped === 0 && from === position.sequence;
}
