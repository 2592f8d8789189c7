import { isPattern, matchesPattern, parseTopicPattern } from "#core/topic.ts";
import type { TopicPattern } from "#core/topic.ts";
import { CHANNELS } from "#core/instrument.ts";
import type { Instrument } from "@tickwire/proto/service";
import type { Catalog } from "./catalog.ts";
import { channelsOf } from "./channel-names.ts";
import type { TopicName } from "./topic-feed.ts";

/** What the text of a topic request stands for. */
export type Expansion =
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown" }
  | {
      readonly kind: "topics";
      readonly topics: readonly TopicName[];
      /** Set if the text has a "*", so that it may grow. */
      readonly pattern: TopicPattern | undefined;
    };

/**
 * Expands a topic or pattern over the catalog, to at most `topicsMax` topics. A pattern that matches
 * nothing now is unknown.
 */
export function expandTopic(catalog: Catalog, text: string, topicsMax: number): Expansion {
  const pattern = parseTopicPattern(text);
  if (pattern === undefined) return { kind: "malformed" };
  if (!isPattern(pattern)) {
    const topic = pattern as TopicName;
    return catalog.hasTopic(topic.venue, topic.symbol, topic.channel)
      ? { kind: "topics", topics: [topic], pattern: undefined }
      : { kind: "unknown" };
  }
  const topics: TopicName[] = [];
  for (const instrument of candidates(catalog, pattern)) {
    topics.push(...topicsOf(instrument, pattern));
    if (topics.length >= topicsMax) break;
  }
  topics.length = Math.min(topics.length, topicsMax);
  return topics.length === 0 ? { kind: "unknown" } : { kind: "topics", topics, pattern };
}

/** The topics of one instrument that a pattern matches, in the order of CHANNELS. */
export function topicsOf(instrument: Instrument, pattern: TopicPattern): TopicName[] {
  const { venue, symbol } = instrument;
  const channels = channelsOf(instrument);
  return CHANNELS.filter((channel) => channels.includes(channel))
    .map((channel) => ({ venue, symbol, channel }))
    .filter((topic) => matchesPattern(pattern, topic));
}

function* candidates(catalog: Catalog, pattern: TopicPattern): Iterable<Instrument> {
  if (pattern.venue === "*" || pattern.symbol === "*") {
    yield* catalog.instruments();
    return;
  }
  const instrument = catalog.instrument(pattern.venue, pattern.symbol);
  if (instrument !== undefined) yield instrument;
}
