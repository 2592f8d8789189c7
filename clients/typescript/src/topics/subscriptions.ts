import type { DecodedBatch } from "@tickwire/proto/codec";
import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import type { Consumer } from "./consumer.ts";
import type { ClientClock } from "../host/environment.ts";
import { ConnectionError, TickwireError, topicErrorCode } from "../errors.ts";
import type { ClientMessage, ServerMessage } from "../session/frame.ts";
import type { RequestPacer } from "../session/request-pacer.ts";
import { SubscribeOutbox, type OpenRequest, type RequestItem } from "./subscribe-outbox.ts";
import type { SubscribeLimits } from "./subscribe-request.ts";
import {
  continuityOf,
  createEntry,
  infoOf,
  sameOptions,
  type Entry,
  type TopicResult,
  type WireOptions,
} from "./subscription-entry.ts";
import { isPattern } from "./topic.ts";
import { TopicStream, type StreamCounters } from "./topic-stream.ts";

type SubscribeResult = Extract<ServerMessage, { kind: "subscribeResult" }>["value"];
type Notice = Extract<ServerMessage, { kind: "notice" }>["value"];

/** What the subscriptions need from the client. */
export type SubscriptionsOptions = {
  readonly clock: ClientClock;
  readonly random: () => number;
  readonly backoff: BackoffOptions;
  readonly counters: StreamCounters;
  readonly pacer: RequestPacer;
  /** Sends one frame; does nothing while there is no connection. */
  readonly send: (messages: readonly ClientMessage[]) => void;
  /** The gateway and the client disagree about what is subscribed: begin anew. */
  readonly reconnect: (error: ConnectionError) => void;
};

// Given-up ids that are remembered; a batch for an older one counts as one for an unknown topic.
const RETIRED_IDS_MAX = 4_096;
// Resyncs of one topic closer than this wait longer and longer.
const RESYNC_CALM_MS = 10_000;
// After so many of the longest waits without trouble, waits are short again.
const CALM_BACKOFFS = 2;

/** Everything subscribed on a client, over any number of connections. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #patterns = new Set<Entry>();
  readonly #streams = new Map<string, TopicStream>();
  readonly #streamOfId = new Map<number, TopicStream>();
  /** Ids that were given up while batches for them may be on their way. */
  readonly #retiredIds = new Set<number>();
  readonly #outbox: SubscribeOutbox;
  readonly #unsent = new Set<Entry>();
  readonly #timers = new Set<() => void>();
  readonly #attempts = new Map<string, { count: number; lastUs: number }>();
  #subscriptionsMax = 0;
  #flushScheduled = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    const { pacer, send } = options;
    const resumeOf = (topic: string) => this.#streams.get(topic)?.resumePosition;
    this.#outbox = new SubscribeOutbox({ pacer, send, resumeOf });
  }

  /** Topics that the gateway serves now. */
  get topicCount(): number {
    return this.#streamOfId.size;
  }

  /**
   * Adds a consumer to topics; `release` is called once when it is over. Throws TickwireError
   * `options-conflict` if one of them is subscribed with other options: the gateway serves a topic
   * once per connection.
   */
  attach(
    topics: readonly string[],
    options: WireOptions,
    consumer: Consumer,
    release: () => void,
  ): void {
    for (const topic of topics) {
      const entry = this.#entries.get(topic);
      if (entry !== undefined && !sameOptions(entry.options, options)) {
        const has = JSON.stringify(entry.options);
        const text = `${topic} is subscribed with ${has}; other options need another client`;
        throw new TickwireError("options-conflict", text);
      }
    }
    for (const topic of topics) this.#join(topic, options, consumer);
    consumer.onClose(() => {
      release();
      this.#detach(topics, consumer);
    });
  }

  /** A connection is ready: subscribes everything, resuming where possible. */
  handleConnected(limits: SubscribeLimits): void {
    this.#subscriptionsMax = limits.subscriptionsMax;
    this.#outbox.handleConnected(limits);
    for (const entry of this.#entries.values()) this.#unsent.add(entry);
    this.#flush();
  }

  /** The connection is gone. */
  handleDisconnected(): void {
    this.#outbox.handleDisconnected();
    this.#streamOfId.clear();
    this.#retiredIds.clear();
    this.#unsent.clear();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const entry of this.#entries.values()) entry.explicit.clear();
    for (const stream of this.#streams.values()) stream.disconnect();
  }

  /** Ends every consumer. */
  close(error: TickwireError | undefined): void {
    const consumers = new Set([...this.#entries.values()].flatMap((entry) => [...entry.consumers]));
    for (const consumer of consumers) consumer.close(error);
    this.handleDisconnected();
  }

  handleBatch(batch: DecodedBatch): void {
    const stream = this.#streamOfId.get(batch.topicId);
    if (stream !== undefined) stream.receive(batch);
    else if (!this.#retiredIds.has(batch.topicId)) this.#options.counters.unknownTopicBatches += 1;
  }

  handleSubscribeResult(result: SubscribeResult): void {
    const request = this.#outbox.requests.get(result.requestId);
    if (request === undefined) return;
    for (const topicResult of result.topics) {
      const item = request.items[topicResult.requestIndex];
      if (item === undefined) continue;
      request.answered.add(topicResult.requestIndex);
      this.#handleTopicResult(item, topicResult);
    }
    if (this.#isOver(request)) this.#outbox.requests.delete(result.requestId);
  }

  /** Everything was answered, and no pattern of it may still grow. */
  #isOver({ items, answered }: OpenRequest): boolean {
    return items.every(({ entry, topic }, index) => {
      const mayGrow = isPattern(topic) && this.#entries.get(topic) === entry;
      return answered.has(index) && !mayGrow;
    });
  }

  handleNotice(notice: Notice): void {
    const stream = this.#streamOfId.get(notice.topicId);
    switch (notice.kind) {
      case "NOTICE_KIND_GAP":
        stream?.announceMissing(notice.missingFirst, notice.missingLast);
        return;
      case "NOTICE_KIND_LAG":
        this.#noticeLag(notice.message, stream);
        return;
      case "NOTICE_KIND_TOPIC_ENDED":
        if (stream !== undefined) this.#endTopic(stream, notice.message);
        return;
      case "NOTICE_KIND_GOING_AWAY":
      case "NOTICE_KIND_UNSPECIFIED":
        return;
    }
  }

  #noticeLag(message: string, stream: TopicStream | undefined): void {
    const consumers = new Set<Consumer>();
    const entries = stream === undefined ? this.#entries.values() : this.#ownersOf(stream);
    for (const entry of entries) for (const consumer of entry.consumers) consumers.add(consumer);
    for (const consumer of consumers) consumer.handlers.notice?.({ type: "lag", message });
  }

  #join(topic: string, options: WireOptions, consumer: Consumer): void {
    const known = this.#entries.get(topic);
    const entry = known ?? createEntry(topic, options);
    entry.consumers.add(consumer);
    if (known === undefined) {
      this.#entries.set(topic, entry);
      if (isPattern(topic)) this.#patterns.add(entry);
      this.#unsent.add(entry);
      this.#scheduleFlush();
    }
    // Not before the caller holds what it attached.
    const running = [...entry.streams];
    for (const stream of running) this.#refreshConsumers(stream);
    if (running.length > 0) {
      queueMicrotask(() => running.forEach((stream) => stream.catchUp(consumer)));
    }
  }

  #detach(topics: readonly string[], consumer: Consumer): void {
    const unsubscribed: string[] = [];
    const kept: RequestItem[] = [];
    for (const topic of topics) {
      const entry = this.#entries.get(topic);
      if (entry === undefined || !entry.consumers.delete(consumer)) continue;
      for (const stream of entry.streams) this.#refreshConsumers(stream);
      if (entry.consumers.size > 0) continue;
      const { streams } = entry;
      unsubscribed.push(...this.#removeEntry(entry));
      if (isPattern(topic)) kept.push(...this.#itemsOf(streams));
    }
    if (unsubscribed.length === 0) return;
    this.#outbox.unsubscribe(unsubscribed);
    // A pattern takes its topics with it, also those that somebody else still wants.
    this.#outbox.subscribe(kept);
  }

  /** What asks by name for those streams that are wanted. */
  #itemsOf(streams: Iterable<TopicStream>): RequestItem[] {
    const items: RequestItem[] = [];
    for (const stream of streams) {
      const [entry] = this.#ownersOf(stream);
      if (entry !== undefined) items.push({ entry, topic: stream.info.topic });
    }
    return items;
  }

  /** Forgets an entry and says what the gateway must be told. */
  #removeEntry(entry: Entry): string[] {
    this.#entries.delete(entry.topic);
    this.#attempts.delete(entry.topic);
    if (this.#patterns.delete(entry)) {
      for (const [requestId, request] of this.#outbox.requests) {
        if (this.#isOver(request)) this.#outbox.requests.delete(requestId);
      }
    }
    const wasAsked = !this.#unsent.delete(entry) && this.#outbox.connected;
    const unsent = this.#outbox.takeBack(entry);
    const topics = new Set<string>(isPattern(entry.topic) ? [entry.topic] : []);
    if (!isPattern(entry.topic) && !this.#isWanted(entry.topic)) topics.add(entry.topic);
    for (const stream of entry.streams) {
      if (this.#isWanted(stream.info.topic)) continue;
      if (entry.explicit.has(stream.info.topic)) topics.add(stream.info.topic);
      this.#dropStream(stream);
    }
    return wasAsked ? [...topics].filter((topic) => !unsent.has(topic)) : [];
  }

  #isWanted(topic: string): boolean {
    const stream = this.#streams.get(topic);
    if (stream === undefined) return this.#entries.has(topic);
    return this.#ownersOf(stream).length > 0;
  }

  /** The entries that a stream serves: the one of its name, and patterns. */
  #ownersOf(stream: TopicStream): Entry[] {
    const owners: Entry[] = [];
    const exact = this.#entries.get(stream.info.topic);
    if (exact?.streams.has(stream)) owners.push(exact);
    for (const pattern of this.#patterns) if (pattern.streams.has(stream)) owners.push(pattern);
    return owners;
  }

  #dropStream(stream: TopicStream): void {
    this.#streams.delete(stream.info.topic);
    this.#attempts.delete(stream.info.topic);
    this.#retireId(stream);
    stream.setConsumers([]);
  }

  #retireId(stream: TopicStream): void {
    if (stream.topicId === 0) return;
    this.#streamOfId.delete(stream.topicId);
    this.#rememberRetired(stream.topicId);
    stream.topicId = 0;
  }

  #rememberRetired(topicId: number): void {
    this.#retiredIds.add(topicId);
    if (this.#retiredIds.size <= RETIRED_IDS_MAX) return;
    for (const oldest of this.#retiredIds) {
      this.#retiredIds.delete(oldest);
      return;
    }
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // Everything asked for in one turn goes into one request.
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#outbox.connected || this.#unsent.size === 0) return;
    const items: RequestItem[] = [];
    for (const entry of this.#unsent) {
      if (isPattern(entry.topic)) {
        // A pattern cannot say positions, so its known topics are asked for by name, and first.
        for (const { info } of entry.streams) {
          if (this.#entries.has(info.topic)) continue;
          entry.explicit.add(info.topic);
          items.push({ entry, topic: info.topic });
        }
      }
      items.push({ entry, topic: entry.topic });
    }
    this.#unsent.clear();
    items.sort((a, b) => Number(isPattern(a.topic)) - Number(isPattern(b.topic)));
    this.#outbox.subscribe(items);
  }

  #handleTopicResult(item: RequestItem, result: TopicResult): void {
    const { entry } = item;
    if (this.#entries.get(entry.topic) !== entry) {
      // Unsubscribed before the answer came; the unsubscribe is on its way.
      if (result.topicId !== 0 && !this.#streamOfId.has(result.topicId)) {
        this.#rememberRetired(result.topicId);
      }
      return;
    }
    if (result.error === "TOPIC_ERROR_UNSPECIFIED") this.#startStream(entry, result);
    else if (result.error === "TOPIC_ERROR_ALREADY_SUBSCRIBED") this.#linkStream(item, result);
    else this.#handleRefusal(item, result);
  }

  #startStream(entry: Entry, result: TopicResult): void {
    entry.accepted = true;
    let stream = this.#streams.get(result.topic);
    if (stream === undefined) {
      const info = infoOf(result);
      if (info === undefined) {
        // A pattern gets every channel of the gateway, also those that came after this client.
        this.#rememberRetired(result.topicId);
        return;
      }
      stream = new TopicStream(info, this.#options.counters, (lost) =>
        this.#resync(lost, { unsubscribe: true }),
      );
      this.#streams.set(result.topic, stream);
    }
    this.#retireId(stream);
    entry.streams.add(stream);
    const exact = this.#entries.get(result.topic);
    exact?.streams.add(stream);
    this.#refreshConsumers(stream);
    this.#streamOfId.set(result.topicId, stream);
    this.#retiredIds.delete(result.topicId);
    stream.start({
      topicId: result.topicId,
      position: result.position,
      continuity: continuityOf(result),
    });
  }

  #linkStream({ entry, topic }: RequestItem, result: TopicResult): void {
    const stream = this.#streams.get(result.topic);
    if (stream === undefined || stream.topicId === 0) {
      if (isPattern(topic)) return; // It was asked for by name as well; that answer counts.
      const message = `${result.topic} is subscribed on the gateway only`;
      this.#options.reconnect(new ConnectionError("connection-lost", message, { retryable: true }));
      return;
    }
    entry.accepted = true;
    if (entry.streams.has(stream)) return;
    entry.streams.add(stream);
    this.#refreshConsumers(stream);
    for (const consumer of entry.consumers) stream.catchUp(consumer);
  }

  #handleRefusal(item: RequestItem, result: TopicResult): void {
    const { entry } = item;
    const topic = result.topic === "" ? item.topic : result.topic;
    // Asked for by name and by a pattern, where the second did not fit any more.
    if ((this.#streams.get(topic)?.topicId ?? 0) !== 0) return;
    const code = topicErrorCode(result.error);
    // A gateway that has just started does not know yet what it served before.
    const mayComeBack = code === "topic-unknown" && entry.accepted;
    if (code === "topic-unavailable" || mayComeBack) {
      this.#noticeUnavailable(entry, topic, result.errorMessage);
      this.#later(topic, () => {
        if (this.#entries.get(entry.topic) === entry) this.#outbox.subscribe([item]);
      });
      return;
    }
    let message = result.errorMessage || code;
    if (code === "topic-limit-exceeded") {
      message += `; this client has ${this.topicCount} of subscriptionsMax ${this.#subscriptionsMax}`;
    }
    const refusal = { topic, code, message };
    for (const consumer of entry.consumers) consumer.refuse(entry.topic, refusal);
    if (topic === entry.topic && this.#entries.get(topic) === entry) {
      for (const consumer of entry.consumers) entry.consumers.delete(consumer);
      this.#removeEntry(entry);
    }
  }

  #noticeUnavailable(entry: Entry, topic: string, reason: string): void {
    const stream = this.#streams.get(topic);
    if (stream !== undefined) {
      stream.noticeContinuity("unavailable", reason);
      return;
    }
    const [venue = "", symbol = ""] = (topic.split("/")[0] ?? "").split(":");
    const position = { epoch: 0, sequence: 0 };
    for (const { handlers } of entry.consumers) {
      const continuity = "unavailable";
      handlers.notice?.({
        type: "continuity",
        topic,
        venue,
        symbol,
        continuity,
        ...position,
        reason,
      });
    }
  }

  #endTopic(stream: TopicStream, message: string): void {
    const { topic } = stream.info;
    stream.noticeContinuity("ended", message);
    const exact = this.#entries.get(topic);
    for (const entry of this.#ownersOf(stream)) entry.streams.delete(stream);
    this.#dropStream(stream);
    if (exact === undefined) return;
    this.#entries.delete(topic);
    const refusal = { topic, code: "topic-unknown", message: message || "ended" } as const;
    for (const consumer of exact.consumers) consumer.refuse(topic, refusal);
  }

  #resync(stream: TopicStream, options: { readonly unsubscribe: boolean }): void {
    const { topic } = stream.info;
    const entry = this.#ownersOf(stream)[0];
    if (entry === undefined) return;
    this.#retireId(stream);
    if (options.unsubscribe) this.#outbox.unsubscribe([topic]);
    const item = { entry, topic };
    if (topic !== entry.topic) entry.explicit.add(topic);
    const subscribe = () => {
      if (this.#streams.get(topic) === stream && stream.topicId === 0)
        this.#outbox.subscribe([item]);
    };
    const last = this.#attempts.get(topic);
    const nowUs = this.#options.clock.nowUs();
    if (last === undefined || nowUs - last.lastUs > RESYNC_CALM_MS * 1_000) {
      this.#attempts.set(topic, { count: 0, lastUs: nowUs });
      subscribe();
    } else {
      this.#later(topic, subscribe);
    }
  }

  /**
   * Runs `action` after a back-off that grows with every use for the same topic, if still
   * connected.
   */
  #later(topic: string, action: () => void): void {
    const { clock, backoff, random } = this.#options;
    const last = this.#attempts.get(topic);
    const nowUs = clock.nowUs();
    const isCalm =
      last === undefined || nowUs - last.lastUs > CALM_BACKOFFS * backoff.maxMs * 1_000;
    const count = isCalm ? 0 : last.count;
    this.#attempts.set(topic, { count: count + 1, lastUs: nowUs });
    const cancel = clock.after(backoffDelayMs(count, backoff, random), () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }

  #refreshConsumers(stream: TopicStream): void {
    const consumers = new Set<Consumer>();
    for (const { consumers: own } of this.#ownersOf(stream)) {
      for (const consumer of own) consumers.add(consumer);
    }
    stream.setConsumers([...consumers]);
  }
}
