import { TickwireError } from "../errors.ts";
import type { MarketEvent } from "../events/market-event.ts";
import { FirstFrames } from "../lite/first-frames.ts";
import { messageBytes } from "../lite/wire.ts";
import type { TopicSource } from "../session/client-session.ts";
import type { ClientStats } from "../stats/stream-stats.ts";
import type { Consumer } from "../topics/consumer.ts";
import { createStreamCounters, type StreamCounters } from "../topics/stream-counters.ts";
import type { WireOptions } from "../topics/subscription-entry.ts";
import type { ViewWish } from "../topics/view-wish.ts";
import type { Attachment } from "./opened.ts";

// Kind of the schema's ClientMessage.
const SUBSCRIBE = 2;

const PLAIN_TOPIC = /^[^*]+\/(trades|quotes)$/;

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
  #frames = new FirstFrames<Attachment>();
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
    // Nothing is kept of who may be gone tomorrow.
    for (const list of [this.#attachments, this.#unsent]) list.length = 0;
    this.#frames = new FirstFrames();
  }

  /** What takes over cannot be had: whoever waits for it is told. */
  failLater(error: TickwireError): void {
    for (const { consumer } of this.#attachments) {
      if (!this.#frames.asked.flat().some((each) => each.consumer === consumer))
        consumer.close(error);
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
    const frame = this.#frames.read(bytes);
    if (frame === undefined) return -1;
    for (const [{ consumer }, notice] of frame.starts) consumer.handlers.notice?.(notice);
    let events = 0;
    for (const [{ consumer }, batch] of frame.readings) {
      events += batch.count;
      this.#batches += 1;
      this.#counters.events += batch.count;
      for (const event of batch.events) {
        // Who closes in a callback is not called again.
        if (!consumer.closed) consumer.handlers.event?.(event as MarketEvent);
      }
    }
    this.#bytes += bytes.length;
    return events;
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
    this.#frames.asked.push(group);
    const topics = group.flatMap((each) => each.topics);
    const wishes = topics.map((topic) => [2, messageBytes([1, topic])] as const);
    const message = messageBytes([1, this.#frames.asked.length], ...wishes);
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

function isPlainWish({ depth, conflationIntervalMs, snapshot, checksum }: WireOptions): boolean {
  return depth + conflationIntervalMs === 0 && snapshot && !checksum;
}
