import type { Instrument } from "@tickwire/proto/service";
import { isPattern, parseTopicPattern } from "#core/topic.ts";
import type { Topic, TopicPattern } from "#core/topic.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { Catalog } from "./catalog.ts";
import { channelsOf } from "./channel-names.ts";

/** What expanding asks of the catalog. */
type InstrumentIndex = Pick<Catalog, "venues" | "instrument" | "instrumentsOf" | "hasTopic">;

/** What the text of a topic request stands for. */
export type Expansion =
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown"; readonly cost: number }
  | {
      readonly kind: "topics";
      /** The topics that it stands for, or as many as the search for them took the time of. */
      readonly cost: number;
      readonly topics: readonly Topic[];
      /** Set if the text has a "*": instruments that are listed later belong to it too. */
      readonly pattern: TopicPattern | undefined;
    };

/** Looking at this many instruments that do not match takes as long as one topic that does. */
const EXAMINED_PER_TOPIC = 50;

/** Looking at this many takes some microseconds. */
const EXAMINED_PER_STEP = 64;

/** How far a pattern is followed, and whose work that is. */
type ExpansionOptions = { readonly topicsMax: number; readonly line: Pick<TurnLine, "isOver"> };

/**
 * The topics that a topic or pattern stands for in the catalog, at most `topicsMax`. A pattern that
 * matches nothing now is unknown.
 */
export function* expandTopic(
  catalog: InstrumentIndex,
  text: string,
  { topicsMax, line }: ExpansionOptions,
): Work<Expansion> {
  const pattern = parseTopicPattern(text);
  if (pattern === undefined) return { kind: "malformed" };
  if (!isPattern(pattern)) {
    const topic = pattern as Topic;
    return catalog.hasTopic(topic.venue, topic.symbol, topic.channel)
      ? { kind: "topics", cost: 0, topics: [topic], pattern: undefined }
      : { kind: "unknown", cost: 0 };
  }
  const topics: Topic[] = [];
  let examined = 0;
  for (const instrument of candidates(catalog, pattern)) {
    examined += 1;
    if (examined % EXAMINED_PER_STEP === 0 && line.isOver) yield;
    for (const topic of topicsOf(instrument, pattern)) topics.push(topic);
    if (topics.length >= topicsMax) break;
  }
  topics.length = Math.min(topics.length, topicsMax);
  const cost = Math.max(topics.length, Math.floor(examined / EXAMINED_PER_TOPIC));
  return topics.length === 0
    ? { kind: "unknown", cost }
    : { kind: "topics", cost, topics, pattern };
}

/** Most instruments do not match most patterns. */
const NONE: readonly Topic[] = [];

/** The topics of one instrument that a pattern matches, in the order of CHANNELS. */
export function topicsOf(instrument: Instrument, pattern: TopicPattern): readonly Topic[] {
  const { venue, symbol } = instrument;
  if (pattern.venue !== "*" && pattern.venue !== venue) return NONE;
  if (pattern.symbol !== "*" && pattern.symbol !== symbol) return NONE;
  const channels = channelsOf(instrument);
  const { channel } = pattern;
  if (channel === "*") return channels.map((each) => ({ venue, symbol, channel: each }));
  return channels.includes(channel) ? [{ venue, symbol, channel }] : NONE;
}

function* candidates(catalog: InstrumentIndex, pattern: TopicPattern): Iterable<Instrument> {
  for (const venue of pattern.venue === "*" ? catalog.venues : [pattern.venue]) {
    if (pattern.symbol === "*") {
      yield* catalog.instrumentsOf(venue);
    } else {
      const instrument = catalog.instrument(venue, pattern.symbol);
      if (instrument !== undefined) yield instrument;
    }
  }
}
