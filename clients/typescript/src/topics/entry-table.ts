import type { Consumer } from "./consumer.ts";
import { createEntry, type Entry, type WireOptions } from "./subscription-entry.ts";
import type { TopicStream } from "./topic-stream.ts";
import { isPattern, matchesPattern } from "./topic.ts";

/** What a client asks for, by topic and pattern, and which of it a stream serves. */
export class EntryTable {
  readonly #entries = new Map<string, Entry>();
  /** Those whose topics have other names: patterns, and what has a venue's own symbol. */
  readonly #wide = new Set<Entry>();

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
    if (isPattern(topic)) this.#wide.add(entry);
    return entry;
  }

  /** The entry got this topic, which has another name if the entry has the venue's own symbol. */
  granted(entry: Entry, topic: string): void {
    if (entry.topic === topic || isPattern(entry.topic)) return;
    entry.alias = topic;
    this.#wide.add(entry);
  }

  /** True if it was a pattern, or had a venue's own symbol. */
  remove(entry: Entry): boolean {
    this.#entries.delete(entry.topic);
    return this.#wide.delete(entry);
  }

  /** The entries that a stream serves: the one of its name, and those of other names. */
  ownersOf(stream: TopicStream): Entry[] {
    const owners: Entry[] = [];
    const exact = this.#entries.get(stream.info.topic);
    if (exact?.streams.has(stream)) owners.push(exact);
    for (const wide of this.#wide) if (wide.streams.has(stream)) owners.push(wide);
    return owners;
  }

  /** Who wants a topic: by its name, or by a pattern, to which it may not have come yet. */
  heirOf(topic: string): Entry | undefined {
    const exact = this.#entries.get(topic);
    if (exact !== undefined) return exact;
    for (const entry of this.#wide) {
      if (entry.alias === topic || matchesPattern(entry.topic, topic)) return entry;
    }
    return undefined;
  }

  /** The gateway hears the topic by its name on behalf of the entry. */
  claim(entry: Entry, topic: string): void {
    if (topic !== entry.topic) entry.explicit.add(topic);
  }

  /** Everyone who wants one of the entries, each once. */
  consumersOf(entries: Iterable<Entry>): Set<Consumer> {
    const consumers = new Set<Consumer>();
    for (const entry of entries) for (const consumer of entry.consumers) consumers.add(consumer);
    return consumers;
  }

  /** Tells a stream who wants it now. */
  refreshConsumers(stream: TopicStream): void {
    stream.consumers = [...this.consumersOf(this.ownersOf(stream))];
  }
}
