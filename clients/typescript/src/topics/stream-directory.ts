import type { TopicStream } from "./topic-stream.ts";

/** Given-up ids that are remembered; a batch for an older one counts as unknown. */
const RETIRED_IDS_MAX = 4_096;

/** The topics of a client by their names, and by the ids that they have on this connection. */
export class StreamDirectory {
  readonly #streams = new Map<string, TopicStream>();
  readonly #streamOfId = new Map<number, TopicStream>();
  /** Topics that move, by their ids on the old connection. */
  readonly #leavingOfId = new Map<number, TopicStream>();
  /** Ids that were given up while batches for them may be on their way. */
  readonly #retiredIds = new Set<number>();

  /** Topics that the gateway serves now. */
  get servedCount(): number {
    return this.#streamOfId.size;
  }

  /** The topic of that name, served or not. */
  ofTopic(topic: string): TopicStream | undefined {
    return this.#streams.get(topic);
  }

  /** The topic that has this id now. */
  ofId(topicId: number): TopicStream | undefined {
    return this.#streamOfId.get(topicId);
  }

  /** The topic that has this id on the old connection, while it moves. */
  ofOldId(topicId: number): TopicStream | undefined {
    return this.#leavingOfId.get(topicId);
  }

  /** Topics that the old connection still brings. */
  get leaving(): ReadonlyMap<number, TopicStream> {
    return this.#leavingOfId;
  }

  /** Another connection takes over: every topic is to be served anew. */
  leave(): void {
    this.#streamOfId.clear();
    this.#retiredIds.clear();
    for (const stream of this.#streams.values()) {
      stream.leave();
      if (stream.oldTopicId !== 0) this.#leavingOfId.set(stream.oldTopicId, stream);
    }
  }

  /** The topic is served by the new connection alone. */
  moved(stream: TopicStream): void {
    this.#leavingOfId.delete(stream.oldTopicId);
  }

  /** Whether the gateway serves the topic of that name now. */
  isServed(topic: string): boolean {
    return (this.#streams.get(topic)?.topicId ?? 0) !== 0;
  }

  /** Whether the topic had this id lately. */
  isRetired(topicId: number): boolean {
    return this.#retiredIds.has(topicId);
  }

  /** Adds a topic that has no id yet. */
  add(stream: TopicStream): void {
    this.#streams.set(stream.info.topic, stream);
  }

  /** The gateway serves the topic under this id from now on. */
  serve(stream: TopicStream, topicId: number): void {
    this.#streamOfId.set(topicId, stream);
    this.#retiredIds.delete(topicId);
  }

  /** Forgets a topic; its id is retired. */
  remove(stream: TopicStream): void {
    this.#streams.delete(stream.info.topic);
    this.moved(stream);
    this.retire(stream);
    stream.consumers = [];
  }

  /** The topic is not served under its id any more. */
  retire(stream: TopicStream): void {
    if (stream.topicId === 0) return;
    this.#streamOfId.delete(stream.topicId);
    this.retireId(stream.topicId);
    stream.topicId = 0;
  }

  /** Batches with this id are for nobody, and no reason to count them as unknown. */
  retireId(topicId: number): void {
    this.#retiredIds.add(topicId);
    if (this.#retiredIds.size <= RETIRED_IDS_MAX) return;
    for (const oldest of this.#retiredIds) {
      this.#retiredIds.delete(oldest);
      return;
    }
  }

  /** The connection is gone, and every id with it. */
  disconnect(): void {
    this.#streamOfId.clear();
    this.#leavingOfId.clear();
    this.#retiredIds.clear();
    for (const stream of this.#streams.values()) stream.disconnect();
  }
}
