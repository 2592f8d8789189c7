import { topicIdOf } from "@tickwire/proto/codec";
import { TickwireError, type ConnectionError } from "../errors.ts";
import type { Limits } from "../session/connection.ts";
import {
  BookChecksumControl,
  RequestRefusedControl,
  SubscribeControl,
  SubscribeResultControl,
  UnsubscribeControl,
  UpdateControl,
} from "../session/control-messages.ts";
import type { ServerMessage } from "../session/frame.ts";
import type { SessionLink, SessionPart } from "../session/session-part.ts";
import type { TopicMeter } from "../stats/stream-stats.ts";
import type { ChannelPart } from "./channel.ts";
import type { Consumer } from "./consumer.ts";
import { EntryTable } from "./entry-table.ts";
import { RetrySchedule } from "./retry-schedule.ts";
import { StreamDirectory } from "./stream-directory.ts";
import { SubscribeOutbox, type OpenRequest, type RequestItem } from "./subscribe-outbox.ts";
import { SubscribeAnswers } from "./subscribe-answers.ts";
import { isWide, sameOptions, type Entry, type WireOptions } from "./subscription-entry.ts";
import { conflationNotice } from "./topic-notices.ts";
import { TopicStream } from "./topic-stream.ts";
import { createStreamCounters, type StreamCounters } from "./stream-counters.ts";
import { isPattern, matchesPattern } from "./topic.ts";
import { slowWhileHidden } from "./visibility.ts";
import { differsInDepth } from "./granted-view.ts";
import type { ViewWish } from "./view-wish.ts";

type SubscribeResult = Extract<ServerMessage, { kind: "subscribeResult" }>["value"];
type TopicResult = SubscribeResult["topics"][number];

type Notice = Extract<ServerMessage, { kind: "notice" }>["value"];

/** Everything subscribed on a client, over any number of connections. */
export class Subscriptions implements SessionPart {
  /** Counts over the life of the client. */
  readonly counters: StreamCounters = createStreamCounters();
  readonly members = {
    outbound: {
      "2msubscribe": SubscribeControl,
      "3munsubscribe": UnsubscribeControl,
      "9mupdate": UpdateControl,
    },
    inbound: {
      "2msubscribeResult": SubscribeResultControl,
      "10mbookChecksum": BookChecksumControl,
      "31mrequestRefused": RequestRefusedControl,
    },
  };
  readonly #entries = new EntryTable();
  readonly #streams = new StreamDirectory();
  readonly #retries: RetrySchedule;
  readonly #outbox: SubscribeOutbox;
  readonly #answers: SubscribeAnswers;
  readonly #unsent = new Set<Entry>();
  readonly #unwatch: () => void;
  #flushScheduled = false;

  /**
   * `channels` are those that the client reads; while nobody looks at the page, everything is sent
   * at `hiddenIntervalMs` at most, unless that is 0.
   */
  constructor(
    link: SessionLink,
    channels: readonly ChannelPart[],
    hiddenIntervalMs = 0,
    meterOf?: (topic: string) => TopicMeter,
  ) {
    const { clock, random, backoff, pacer, send, watchVisibility: watch } = link;
    const slowTo = (intervalMs: number) => this.#slowTo(intervalMs);
    this.#unwatch = slowWhileHidden(hiddenIntervalMs, { clock, watch, slowTo });
    const onDue = (topics: readonly string[]) => this.#askAgain(topics);
    this.#retries = new RetrySchedule({ clock, random, backoff, onDue });
    const resumeOf = (topic: string, isRaw: boolean) => this.#streams.ofTopic(topic)?.ask(isRaw);
    const needsWhole = (topic: string) => this.#streams.ofTopic(topic)?.needsWhole === true;
    this.#outbox = new SubscribeOutbox({ pacer, send, resumeOf, needsWhole });
    this.#answers = new SubscribeAnswers({
      entries: this.#entries,
      streams: this.#streams,
      retries: this.#retries,
      outbox: this.#outbox,
      createStream: (info) => {
        const part = channels.find(({ name }) => name === info.channel);
        const { counters } = this;
        const moved = (stream: TopicStream) => this.#streams.moved(stream);
        const meter = meterOf?.(info.topic);
        const resync = this.#resync;
        return part && new TopicStream(info, { part, counters, meter, resync, moved });
      },
      forget: (entry) => void this.#removeEntry(entry),
      reconnect: link.reconnect,
    });
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

  /** Shows topics in another way, for everybody who has them, without a gap. */
  update(topics: readonly string[], wish: Partial<ViewWish>): void {
    for (const topic of topics) {
      const entry = this.#entries.get(topic);
      if (entry === undefined) continue;
      const before = entry.options;
      entry.options = { ...before, ...wish };
      entry.updateId = 0;
      const isOther = differsInDepth(before, entry.options);
      for (const stream of entry.streams) stream.viewAsked(isOther);
      if (!this.#unsent.has(entry)) this.#sendView(entry);
    }
  }

  /** Everything is to be sent at this interval at most; 0: as it was asked for. */
  #slowTo(intervalMsMin: number): void {
    if (this.#outbox.intervalMsMin === intervalMsMin) return;
    this.#outbox.intervalMsMin = intervalMsMin;
    for (const entry of this.#entries.values()) if (!this.#unsent.has(entry)) this.#sendView(entry);
  }

  #sendView(entry: Entry): void {
    // What was asked for by name belongs to no pattern of the gateway.
    this.#outbox.update([entry.topic, ...entry.explicit], entry);
  }

  /** A connection is ready: subscribes everything, resuming where possible. */
  handleConnected(limits: Limits): void {
    this.#answers.subscriptionsMax = limits.subscriptionsMax;
    this.#outbox.handleConnected(limits);
    for (const entry of this.#entries.values()) {
      entry.explicit.clear();
      this.#unsent.add(entry);
    }
    this.flush();
  }

  /** The connection is gone. */
  handleDisconnected(): void {
    this.#forgetRequests();
    this.#streams.disconnect();
  }

  /** Another connection takes over: the old one brings each topic until the other has it. */
  handleMoved(): void {
    this.#forgetRequests();
    this.#streams.leave();
  }

  #forgetRequests(): void {
    this.#outbox.handleDisconnected();
    this.#unsent.clear();
    this.#retries.cancelAll();
    for (const entry of this.#entries.values()) entry.explicit.clear();
  }

  /** Whether a topic still comes on the old connection alone. */
  get needsOld(): boolean {
    return this.#streams.leaving.size > 0;
  }

  /** As `handleBatch`, of the old connection. */
  handleOldBatch(bytes: Uint8Array, start: number, end: number): void {
    this.#streams.ofOldId(topicIdOf(bytes, start, end))?.receiveOld(bytes, start, end);
  }

  /** Of what the old connection says, only what is about topics that still come on it counts. */
  handleOldMessage(message: ServerMessage): void {
    if (message.kind !== "notice") return;
    const stream = this.#streams.ofOldId(message.value.topicId);
    if (stream === undefined) return;
    stream.catchUpWithOld();
    this.#handleTopicNotice(message.value, stream, true);
  }

  /** The old connection is gone. */
  handleOldEnded(): void {
    for (const stream of this.#streams.leaving.values()) stream.oldEnded();
  }

  /** Ends every consumer: with the error, if that is why the client is over. */
  close(cause: ConnectionError, isFailure: boolean): void {
    this.#unwatch();
    const consumers = this.#entries.consumersOf(this.#entries.values());
    for (const consumer of consumers) consumer.close(isFailure ? cause : undefined);
    this.handleDisconnected();
  }

  /** Throws WireError for bytes that do not even say their topic. */
  handleBatch(bytes: Uint8Array, start: number, end: number): void {
    const topicId = topicIdOf(bytes, start, end);
    const stream = this.#streams.ofId(topicId);
    if (stream !== undefined) stream.receive(bytes, start, end);
    else if (!this.#streams.isRetired(topicId)) this.counters.unknownTopicBatches += 1;
  }

  /** Answers to requests, and notices of the gateway. */
  handleMessage(message: ServerMessage): void {
    if (message.kind === "subscribeResult") this.#handleSubscribeResult(message.value);
    else if (message.kind === "notice") this.#handleNotice(message.value);
    else if (message.kind === "requestRefused") {
      this.#outbox.refused(message.value.requestId, message.value.retryAfterMs);
    } else if (message.kind === "bookChecksum") {
      const { topicId, crc32 } = message.value;
      this.#streams.ofId(topicId)?.verify(message.value, crc32);
    }
  }

  #handleSubscribeResult(result: SubscribeResult): void {
    const request = this.#outbox.requests.get(result.requestId);
    if (request === undefined) {
      this.#handleUpdateResult(result);
      return;
    }
    for (const topicResult of result.topics) {
      const item = request.items[topicResult.requestIndex];
      if (item === undefined) continue;
      request.answered.add(topicResult.requestIndex);
      if (
        request.givenUp.has(topicResult.requestIndex) ||
        this.#isLost(request, item, topicResult)
      ) {
        this.#answers.passOver(item.topic, topicResult);
      } else {
        this.#answers.handle(item, topicResult);
      }
    }
    if (this.#isOver(request)) this.#outbox.requests.delete(result.requestId);
  }

  /** What is refused stays as it was. */
  #handleUpdateResult({ requestId, topics }: SubscribeResult): void {
    for (const { topic, error } of topics) {
      const stream = this.#streams.ofTopic(topic);
      if (stream === undefined || error !== "TOPIC_ERROR_UNSPECIFIED") continue;
      const owners = this.#entries.ownersOf(stream);
      if (owners.some(({ updateId }) => updateId === requestId)) stream.viewCame();
    }
  }

  /**
   * Whether the topic was given up by its name since it was asked for by its venue's own symbol:
   * the unsubscribe takes it from both.
   */
  #isLost(request: OpenRequest, { entry, topic }: RequestItem, result: TopicResult): boolean {
    const isOtherName = result.topic !== topic && !isPattern(topic);
    if (!isOtherName || !request.unsubscribed.has(result.topic)) return false;
    if (this.#entries.has(entry)) this.#entries.granted(entry, result.topic);
    return true;
  }

  /** Everything was answered, and no pattern of it may still grow. */
  #isOver({ items, answered }: OpenRequest): boolean {
    return items.every(
      ({ entry, topic }, index) =>
        answered.has(index) && !(isPattern(topic) && this.#entries.has(entry)),
    );
  }

  #handleNotice(notice: Notice): void {
    const stream = this.#streams.ofId(notice.topicId);
    if (notice.kind === "NOTICE_KIND_LAG") this.#noticeLag(notice, stream);
    else if (notice.kind === "NOTICE_KIND_ACCESS_LIMITED") this.#noticeLimited(notice);
    else if (stream !== undefined) this.#handleTopicNotice(notice, stream, false);
  }

  #handleTopicNotice(notice: Notice, stream: TopicStream, isOld: boolean): void {
    const { position, missingFirst, missingLast, continues } = notice;
    if (notice.kind === "NOTICE_KIND_GAP") {
      stream.announceMissing(missingFirst, missingLast, isOld);
    } else if (notice.kind === "NOTICE_KIND_EPOCH" && position !== undefined) {
      stream.changeEpoch(position, { missingLast, continues, isOld });
    } else if (notice.kind === "NOTICE_KIND_TOPIC_ENDED") {
      this.#endTopic(stream, notice.message);
    } else if (notice.kind === "NOTICE_KIND_CONFLATION") {
      stream.notice(conflationNotice(stream.info, notice));
    }
  }

  /** A pattern brings what the client may have, and nothing is wrong with the rest of it. */
  #noticeLimited({ pattern: topic, message }: Notice): void {
    const code = "topic-permission-denied";
    for (const { handlers } of this.#entries.get(topic)?.consumers ?? []) {
      handlers.notice?.({ type: "refused", topic, code, message, alternatives: [] });
    }
  }

  #noticeLag(notice: Notice, stream: TopicStream | undefined): void {
    const { message, lagMs, owedBytes } = notice;
    const entries = stream === undefined ? this.#entries.values() : this.#entries.ownersOf(stream);
    for (const consumer of this.#entries.consumersOf(entries)) {
      consumer.handlers.notice?.({ type: "lag", message, lagMs, owedBytes });
    }
  }

  #join(topic: string, options: WireOptions, consumer: Consumer): void {
    const known = this.#entries.get(topic);
    const entry = known ?? this.#entries.create(topic, options);
    entry.consumers.add(consumer);
    if (known === undefined) {
      this.#unsent.add(entry);
      this.#scheduleFlush();
    }
    // Not before the caller holds what it attached.
    const running = [...entry.streams];
    for (const stream of running) this.#entries.refreshConsumers(stream);
    if (running.length > 0) {
      queueMicrotask(() => {
        for (const stream of running) {
          stream.catchUp(consumer);
          consumer.check(topic, stream.info);
        }
      });
    }
  }

  #detach(topics: readonly string[], consumer: Consumer): void {
    const unsubscribed: string[] = [];
    const taken = new Set<TopicStream>();
    for (const topic of topics) {
      const entry = this.#entries.get(topic);
      if (entry === undefined || !entry.consumers.delete(consumer)) continue;
      for (const stream of entry.streams) this.#entries.refreshConsumers(stream);
      if (entry.consumers.size > 0) continue;
      const { streams } = entry;
      unsubscribed.push(...this.#removeEntry(entry));
      if (isWide(entry)) for (const stream of streams) taken.add(stream);
    }
    if (unsubscribed.length === 0) return;
    this.#outbox.unsubscribe(unsubscribed);
    // A pattern takes its topics with it, also those that somebody else still wants.
    this.#outbox.subscribe(this.#itemsOf(taken));
  }

  /** What asks by name for those streams that are wanted. */
  #itemsOf(streams: Iterable<TopicStream>): RequestItem[] {
    const items: RequestItem[] = [];
    for (const stream of streams) {
      const [entry] = this.#entries.ownersOf(stream);
      if (entry === undefined) continue;
      const { topic } = stream.info;
      this.#entries.claim(entry, topic);
      items.push({ entry, topic });
    }
    return items;
  }

  /** Forgets an entry and says what the gateway must be told. */
  #removeEntry(entry: Entry): string[] {
    const wasWide = this.#entries.remove(entry);
    // What a pattern stands for too is asked for again all the same.
    if (this.#entries.heirOf(entry.topic) === undefined) this.#retries.forget(entry.topic);
    if (wasWide) {
      for (const [requestId, request] of this.#outbox.requests) {
        if (this.#isOver(request)) this.#outbox.requests.delete(requestId);
      }
    }
    const wasAsked = !this.#unsent.delete(entry) && this.#outbox.connected;
    const unsent = this.#outbox.takeBack(entry);
    const topics = new Set<string>(isWide(entry) ? [entry.topic] : []);
    // What the gateway has by its name: no pattern takes it along when it leaves.
    const byName = isWide(entry) ? entry.explicit : [entry.topic];
    for (const topic of byName) if (this.#entries.heirOf(topic) === undefined) topics.add(topic);
    for (const topic of [...byName, ...[...entry.streams].map(({ info }) => info.topic)]) {
      this.#handOver(topic, wasAsked && !unsent.has(topic));
    }
    for (const stream of entry.streams) {
      if (this.#entries.heirOf(stream.info.topic) === undefined) this.#dropStream(stream);
    }
    return wasAsked ? [...topics].filter((topic) => !unsent.has(topic)) : [];
  }

  /**
   * Whoever still wants the topic takes it over, and gives it up when it comes to that; by its name
   * only if the gateway has heard the name.
   */
  #handOver(topic: string, wasAsked: boolean): void {
    const heir = this.#entries.heirOf(topic);
    if (heir === undefined) return;
    if (wasAsked) this.#entries.claim(heir, topic);
    const stream = this.#streams.ofTopic(topic);
    if (stream === undefined || heir.streams.has(stream)) return;
    heir.streams.add(stream);
    this.#entries.refreshConsumers(stream);
    for (const consumer of heir.consumers) stream.catchUp(consumer);
  }

  #dropStream(stream: TopicStream): void {
    this.#streams.remove(stream);
    this.#retries.forget(stream.info.topic);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // Everything asked for in one turn goes into one request.
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  /** Asks for what is attached, which is done at the end of the turn otherwise. */
  flush(): void {
    if (!this.#outbox.connected || this.#unsent.size === 0) return;
    const wishes = [...this.#unsent].map((entry) => ({ entry, topic: entry.topic }));
    this.#unsent.clear();
    this.#ask(wishes);
  }

  /** Asks for topics that were refused, or lost, as far as somebody still wants them. */
  #askAgain(topics: readonly string[]): void {
    const wishes: RequestItem[] = [];
    for (const topic of topics) {
      const entry = this.#entries.heirOf(topic);
      if (entry === undefined) this.#retries.forget(topic);
      else if (!this.#streams.isServed(topic)) wishes.push({ entry, topic });
    }
    this.#ask(wishes);
  }

  /**
   * Asks for topics and patterns. A pattern cannot say positions, so those of its topics that are
   * not served are asked for by name, and before it: whatever a pattern brings would start anew.
   */
  #ask(wishes: readonly RequestItem[]): void {
    const byName = new Map<string, RequestItem>();
    const patterns: RequestItem[] = [];
    for (const wish of wishes) {
      if (isWide(wish.entry) && wish.topic === wish.entry.topic) patterns.push(wish);
      else byName.set(wish.topic, wish);
    }
    for (const { entry } of patterns) {
      for (const topic of this.#unservedOf(entry)) {
        const owner = this.#entries.get(topic) ?? entry;
        if (!byName.has(topic)) byName.set(topic, { entry: owner, topic });
      }
    }
    for (const { entry, topic } of byName.values()) this.#entries.claim(entry, topic);
    const items = [...byName.values(), ...patterns];
    for (const { topic } of items) this.#retries.asked(topic);
    if (items.length > 0) this.#outbox.subscribe(items);
  }

  /** The topics of a pattern that the client knows and the gateway does not serve now. */
  *#unservedOf(pattern: Entry): Iterable<string> {
    for (const { info, topicId } of pattern.streams) if (topicId === 0) yield info.topic;
    for (const topic of this.#retries.waiting) {
      if (!isPattern(topic) && matchesPattern(pattern.topic, topic)) yield topic;
    }
  }

  #endTopic(stream: TopicStream, message: string): void {
    const { topic } = stream.info;
    stream.noticeContinuity("ended", message);
    const exact = this.#entries.get(topic);
    for (const entry of this.#entries.ownersOf(stream)) entry.streams.delete(stream);
    this.#dropStream(stream);
    if (exact === undefined) return;
    this.#entries.remove(exact);
    const code = "topic-unknown-symbol";
    const refusal = { topic, code, message: message || "ended", alternatives: [] } as const;
    for (const consumer of exact.consumers) consumer.refuse(topic, refusal);
  }

  /** Something is missing: gives the topic up on the gateway and asks for it again. */
  readonly #resync = (stream: TopicStream): void => {
    const { topic } = stream.info;
    const entry = this.#entries.ownersOf(stream)[0];
    if (entry === undefined) return;
    this.#streams.retire(stream);
    this.#outbox.unsubscribe([topic]);
    this.#retries.soon(topic);
  };
}
