import type { Consumer } from "./consumer.ts";
import { createEntry, type Entry, type WireOptions } from "./subscription-entry.ts";
import type { TopicStream } from "./topic-stream.ts";
import { isPattern, matchesPattern } from "./topic.ts";

/** What a client asks for, by topic and pattern, and which of it a stream serves. */
export class EntryTable {
  readonly #entries = new Map<string, Entry>();
  readonly #patterns = new Set<Entry>();

  /** Every topic and pattern that somebody wants. */
  values(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** What is asked for under that name. */
  get(topic: string): Entry | undefined {
    return this.#entries.get(topic);
  }

  /** Whether this is still what is asked for under its name. */
  has(entry: Entry): boolean {
    return this.#entries.get(entry.topic) === entry;
  }

  /** Adds a topic that nobody asked for so far. */
  create(topic: string, options: WireOptions): Entry {
    const entry = createEntry(topic, options);
    this.#entries.set(topic, entry);
    if (isPattern(topic)) this.#patterns.add(entry);
    return entry;
  }

  /** True if it was a pattern. */
  remove(entry: Entry): boolean {
    this.#entries.delete(entry.topic);
    return this.#patterns.delete(entry);
  }

  /** The entries that a stream serves: the one of its name, and patterns. */
  ownersOf(stream: TopicStream): Entry[] {
    const owners: Entry[] = [];
    const exact = this.#entries.get(stream.info.topic);
    if (exact?.streams.has(stream)) owners.push(exact);
    for (const pattern of this.#patterns) if (pattern.streams.has(stream)) owners.push(pattern);
    return owners;
  }

  /** Who wants a topic: by its name, or by a pattern, to which it may not have come yet. */
  heirOf(topic: string): Entry | undefined {
    const exact = this.#entries.get(topic);
    if (exact !== undefined) return exact;
    for (const entry of this.#patterns) if (matchesPattern(entry.topic, topic)) return entry;
    return undefined;
  }

  /** Everyone who wants one of the entries, each once. */
  consumersOf(entries: Iterable<Entry>): Set<Consumer> {
    const consumers = new Set<Consumer>();
    for (const entry of entries) for (const consumer of entry.consumers) consumers.add(consumer);
    return consumers;
  }

  /** Tells a stream who wants it now. */
  refreshConsumers(stream: TopicStream): void {
    stream.setConsumers([...this.consumersOf(this.ownersOf(stream))]);
  }
}
