import { ConnectionError, type TopicRefusal } from "../errors.ts";
import type { EntryTable } from "./entry-table.ts";
import type { RetrySchedule } from "./retry-schedule.ts";
import type { StreamDirectory } from "./stream-directory.ts";
import type { RequestItem, SubscribeOutbox } from "./subscribe-outbox.ts";
import { continuityOf, infoOf, type Entry, type TopicResult } from "./subscription-entry.ts";
import { topicErrorCode } from "./topic-errors.ts";
import { continuityNotice } from "./continuity-notice.ts";
import type { TopicStream } from "./topic-stream.ts";
import { isEnough } from "./granted-view.ts";
import { isPattern, type TopicInfo } from "./topic.ts";

/** What the answers act on. */
type SubscribeAnswersParts = {
  readonly entries: EntryTable;
  readonly streams: StreamDirectory;
  readonly retries: RetrySchedule;
  readonly outbox: SubscribeOutbox;
  /** Undefined for a topic of a channel that this client does not read. */
  readonly createStream: (info: TopicInfo) => TopicStream | undefined;
  /** The entry was refused: nobody asks for it any more. */
  readonly forget: (entry: Entry) => void;
  /** The gateway and the client disagree about what is subscribed: begin anew. */
  readonly reconnect: (error: ConnectionError) => void;
};

/** What the gateway's answers to subscribe requests lead to. */
export class SubscribeAnswers {
  /** How many topics the gateway allows, for the message of the error. */
  subscriptionsMax = 0;
  readonly #parts: SubscribeAnswersParts;

  constructor(parts: SubscribeAnswersParts) {
    this.#parts = parts;
  }

  /** Takes one result, which answers one topic or pattern that was asked for. */
  handle(item: RequestItem, result: TopicResult): void {
    const entry = this.#entryOf(item);
    if (entry === undefined) {
      this.passOver(item.topic, result);
      return;
    }
    if (result.error === "TOPIC_ERROR_UNSPECIFIED") {
      if (isEnough(item.entry.options, result)) this.#startStream(entry, result);
      else if (entry === item.entry) this.#giveUpOtherwise(item, result);
    } else if (result.error === "TOPIC_ERROR_ALREADY_SUBSCRIBED")
      this.#linkStream(entry, item.topic, result);
    else if (entry === item.entry) this.#handleRefusal(item, result);
  }

  /** Unsubscribed before the answer came; the unsubscribe is on its way. */
  passOver(asked: string, result: TopicResult): void {
    const { entries, streams, outbox } = this.#parts;
    const isNew = result.topicId !== 0 && streams.ofId(result.topicId) === undefined;
    if (isNew) streams.retireId(result.topicId);
    if (result.topic === asked || isPattern(asked)) return;
    // It was the venue's own symbol of a topic, which the unsubscribe ends for everybody here.
    const heir = entries.heirOf(result.topic);
    if (heir === undefined) return;
    entries.claim(heir, result.topic);
    outbox.subscribe([{ entry: heir, topic: result.topic }]);
  }

  /** Whom the answer is for; undefined if nobody wants the topic any more. */
  #entryOf({ entry, topic }: RequestItem): Entry | undefined {
    const { entries } = this.#parts;
    if (entries.has(entry)) return entry;
    // What was asked for by name stays subscribed for a pattern that stands for it.
    const heir = isPattern(topic) ? undefined : entries.heirOf(topic);
    if (heir !== undefined) entries.claim(heir, topic);
    // Nobody may have known yet that it stands for this topic when the topic was given up.
    if (heir?.alias === topic) this.#parts.outbox.subscribe([{ entry: heir, topic }]);
    return heir;
  }

  #startStream(entry: Entry, result: TopicResult): void {
    entry.accepted = true;
    this.#parts.entries.granted(entry, result.topic);
    let stream = this.#parts.streams.ofTopic(result.topic);
    const isNew = stream === undefined;
    if (stream === undefined) {
      stream = this.#parts.createStream(infoOf(result));
      if (stream === undefined) {
        // A pattern gets every channel of the gateway, also those that came after this client.
        this.#parts.streams.retireId(result.topicId);
        return;
      }
      this.#parts.streams.add(stream);
    }
    this.#parts.streams.retire(stream);
    entry.streams.add(stream);
    const exact = this.#parts.entries.get(result.topic);
    exact?.streams.add(stream);
    this.#parts.entries.refreshConsumers(stream);
    this.#parts.streams.serve(stream, result.topicId);
    stream.start({
      topicId: result.topicId,
      position: result.position,
      continuity: continuityOf(result),
      ended: result.ended,
      recovered: result.recovered,
    });
    if (!isNew) return;
    const owners = exact === undefined || exact === entry ? [entry] : [entry, exact];
    for (const owner of owners) {
      for (const consumer of owner.consumers) consumer.check(owner.topic, stream.info);
    }
  }

  #linkStream(entry: Entry, topic: string, result: TopicResult): void {
    const stream = this.#parts.streams.ofTopic(result.topic);
    if (stream === undefined || stream.topicId === 0) {
      if (isPattern(topic)) {
        // It was asked for by name as well, and that answer counts; unless who asked for it has
        // left before the answer came, so that the gateway gives it up.
        if (stream === undefined && this.#parts.entries.get(result.topic) === undefined) {
          entry.explicit.add(result.topic);
          this.#parts.outbox.subscribe([{ entry, topic: result.topic }]);
        }
        return;
      }
      const message = `the gateway says that ${result.topic} is subscribed, and this client never was told its id`;
      this.#parts.reconnect(new ConnectionError("connection-lost", message, { retryable: true }));
      return;
    }
    entry.accepted = true;
    this.#parts.entries.granted(entry, result.topic);
    if (entry.streams.has(stream)) return;
    entry.streams.add(stream);
    this.#parts.entries.refreshConsumers(stream);
    for (const consumer of entry.consumers) {
      stream.catchUp(consumer);
      consumer.check(entry.topic, stream.info);
    }
  }

  #handleRefusal(item: RequestItem, result: TopicResult): void {
    const { entry } = item;
    // The answer has Tickwire's name where the venue's own symbol was asked for.
    const isOfPattern = isPattern(item.topic) && result.topic !== "";
    const topic = isOfPattern ? result.topic : item.topic;
    // Asked for by name and by a pattern, where the second did not fit any more.
    if (this.#parts.streams.isServed(topic)) return;
    const code = topicErrorCode(result.error);
    // What one gateway has served, another may come to know.
    const mayComeBack = code.startsWith("topic-unknown-") && entry.accepted;
    if (mayComeBack || code === "topic-unavailable" || code === "topic-not-ready") {
      this.#noticeUnavailable(entry, topic, result.errorMessage);
      // What is not listed is brought by its pattern when it is; nobody has to ask for it. What is
      // listed already, and not ready, is not: the pattern does not grow by it.
      const isBrought = mayComeBack && isPattern(entry.topic) && topic !== entry.topic;
      if (!isBrought) this.#parts.retries.later(topic);
      return;
    }
    let message = result.errorMessage || code;
    if (code === "topic-limit-exceeded") {
      message += `; this client has ${this.#parts.streams.servedCount} of subscriptionsMax ${this.subscriptionsMax}`;
    }
    this.#refuse(entry, { topic, code, message, alternatives: result.alternatives });
  }

  #refuse(entry: Entry, refusal: TopicRefusal): void {
    for (const consumer of entry.consumers) consumer.refuse(entry.topic, refusal);
    if (refusal.topic === entry.topic && this.#parts.entries.has(entry)) {
      for (const consumer of entry.consumers) entry.consumers.delete(consumer);
      this.#parts.forget(entry);
    }
  }

  /** A gateway that grants something else than what was asked for does not get away with it. */
  #giveUpOtherwise({ entry }: RequestItem, result: TopicResult): void {
    const { depth, conflationIntervalMs } = entry.options;
    const { topic } = entry;
    const asked = `depth ${depth} and conflationIntervalMs ${conflationIntervalMs} were asked for`;
    const offered = `the gateway offers ${result.depth} and ${result.conflationIntervalMs}`;
    this.#parts.streams.retireId(result.topicId);
    this.#parts.outbox.unsubscribe([...new Set([topic, result.topic])]);
    const message = `${asked}, and ${offered}`;
    this.#refuse(entry, { topic, code: "topic-unsupported-option", message, alternatives: [] });
  }

  #noticeUnavailable(entry: Entry, topic: string, reason: string): void {
    const stream = this.#parts.streams.ofTopic(topic);
    if (stream !== undefined) {
      // While it moves, the old connection still brings it.
      stream.catchUpWithOld();
      if (!stream.isServed) stream.noticeContinuity("unavailable", reason);
      return;
    }
    const [venue = "", symbol = ""] = (topic.split("/")[0] ?? "").split(":");
    const nowhere = { epoch: 0, sequence: 0 };
    const notice = continuityNotice({ topic, venue, symbol }, nowhere, "unavailable", reason);
    for (const { handlers } of entry.consumers) handlers.notice?.(notice);
  }
}
