import type { Instrument } from "@tickwire/proto/service";
import { CHANNELS, MARKET_SYMBOL } from "#core/instrument.ts";
import type { Channel } from "#core/instrument.ts";
import { isChannel, splitTopic } from "#core/topic.ts";
import type { Topic, TopicPattern } from "#core/topic.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import { channelsOf } from "./channel-names.ts";
import { findInstrument } from "./unknown-name.ts";
import type { NameIndex, UnknownName } from "./unknown-name.ts";

/** What expanding asks of the catalog. */
type InstrumentIndex = NameIndex & {
  /** By Tickwire's symbol. */
  instrument(venue: string, symbol: string): Instrument | undefined;
};

/** What the text of a topic request stands for. */
type Expansion =
  | { readonly kind: "malformed" }
  /** Nothing, or nothing yet. */
  | { readonly kind: "nothing"; readonly cost: number; readonly why: UnknownName }
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
/** Looking at so many takes some microseconds. */
const EXAMINED_PER_STEP = 64;
/** Instruments whose channels are named to somebody who asks a venue for another one. */
const CHANNELS_EXAMINED_MAX = 1_000;

/** How far a pattern is followed, and whose work that is. */
type ExpansionOptions = {
  readonly topicsMax: number;
  readonly line: Pick<TurnLine, "isOver">;
  /** Topics of a pattern for which it says no are left out; without it, none are. */
  readonly permits?: (topic: Topic) => boolean;
};

/**
 * The topics that a topic or pattern stands for in the catalog, at most `topicsMax`. Where one
 * venue is named, its own symbol does as well as Tickwire's; topics have Tickwire's in any case.
 */
export function* expandTopic(
  catalog: InstrumentIndex,
  text: string,
  options: ExpansionOptions,
): Work<Expansion> {
  const words = splitTopic(text);
  if (words === undefined) return { kind: "malformed" };
  const { venue, symbol, channel } = words;
  if (channel !== "*" && !isChannel(channel)) {
    return nothing({ kind: "unknown-channel", channel, of: "Tickwire", channels: CHANNELS });
  }
  const pattern: TopicPattern = { venue, symbol, channel };
  if (channel === "listings") return expandLists(catalog, pattern, options);
  if (venue === "*" || symbol === "*") return yield* expandOver(catalog, pattern, options);
  return expandAt(catalog, pattern, options);
}

/**
 * The list of one venue, or of each that is known: it is a topic of the venue's market, whose
 * symbol is MARKET_SYMBOL, and which a "*" for the symbol stands for.
 */
function expandLists(
  catalog: InstrumentIndex,
  pattern: TopicPattern,
  { permits = () => true }: ExpansionOptions,
): Expansion {
  const { venue, symbol } = pattern;
  if (symbol !== "*" && symbol !== MARKET_SYMBOL) {
    return nothing({
      kind: "unknown-channel",
      channel: "listings",
      of: `${venue}:${symbol}`,
      channels: CHANNELS.filter((channel) => channel !== "listings"),
    });
  }
  const venues = venue === "*" ? catalog.venues : [venue];
  const isPattern = venue === "*" || symbol === "*";
  const all = venues.flatMap((id) => listTopicsOf(catalog, id));
  const topics = isPattern ? all.filter(permits) : all;
  if (topics.length > 0) {
    return {
      kind: "topics",
      cost: topics.length,
      topics,
      pattern: isPattern ? pattern : undefined,
    };
  }
  const isUnknown = venue !== "*" && catalog.standingOf(venue) === "unknown";
  return nothing({ kind: isUnknown ? "unknown-venue" : "not-ready", venue });
}

/** The topic of a venue's list; none while the venue has not listed everything. */
export function listTopicsOf(
  catalog: Pick<InstrumentIndex, "standingOf">,
  venue: string,
): readonly Topic[] {
  if (catalog.standingOf(venue) !== "listed") return NONE;
  return [{ venue, symbol: MARKET_SYMBOL, channel: "listings" }];
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

/** Of one instrument: its channel, or all of them. */
function expandAt(
  catalog: InstrumentIndex,
  wanted: TopicPattern,
  { topicsMax, permits = () => true }: ExpansionOptions,
): Expansion {
  const found = findInstrument(catalog, wanted);
  if (found.kind !== "found") return nothing(found);
  const { instrument } = found;
  const pattern = { ...wanted, symbol: instrument.symbol };
  const all = topicsOf(instrument, pattern);
  const topics = (pattern.channel === "*" ? all.filter(permits) : all).slice(0, topicsMax);
  if (topics.length === 0) return nothing(noChannel(pattern, [instrument]));
  if (pattern.channel !== "*") return { kind: "topics", cost: 0, topics, pattern: undefined };
  return { kind: "topics", cost: topics.length, topics, pattern };
}

/** Of as many instruments as match. */
function* expandOver(
  catalog: InstrumentIndex,
  pattern: TopicPattern,
  { topicsMax, line, permits }: ExpansionOptions,
): Work<Expansion> {
  const topics: Topic[] = [];
  let examined = 0;
  for (const instrument of candidates(catalog, pattern)) {
    examined += 1;
    if (examined % EXAMINED_PER_STEP === 0 && line.isOver) yield;
    for (const topic of topicsOf(instrument, pattern)) {
      if (permits === undefined || permits(topic)) topics.push(topic);
    }
    if (topics.length >= topicsMax) break;
  }
  topics.length = Math.min(topics.length, topicsMax);
  const cost = Math.max(topics.length, Math.floor(examined / EXAMINED_PER_TOPIC));
  return topics.length === 0
    ? { kind: "nothing", cost, why: whyNothing(catalog, pattern) }
    : { kind: "topics", cost, topics, pattern };
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

function nothing(why: UnknownName): Expansion {
  return { kind: "nothing", cost: 0, why };
}

function whyNothing(catalog: InstrumentIndex, pattern: TopicPattern): UnknownName {
  const { venue, symbol } = pattern;
  if (venue === "*") {
    // A venue that nobody has announced yet may have it, as may one whose list is on its way.
    const mayCome = ["*", ...catalog.venues].some((id) => catalog.standingOf(id) === "not-ready");
    if (mayCome || catalog.venues.length === 0) return { kind: "not-ready", venue };
  } else {
    const standing = catalog.standingOf(venue);
    if (standing === "unknown") return { kind: "unknown-venue", venue };
    if (standing === "not-ready") return { kind: "not-ready", venue };
  }
  const some: Instrument[] = [];
  for (const instrument of candidates(catalog, pattern)) {
    some.push(instrument);
    if (some.length >= CHANNELS_EXAMINED_MAX) break;
  }
  if (some.length > 0) return noChannel(pattern, some);
  return symbol === "*" ? { kind: "not-ready", venue } : { kind: "unknown-symbol", venue, symbol };
}

function noChannel(pattern: TopicPattern, instruments: readonly Instrument[]): UnknownName {
  const { venue, symbol, channel } = pattern;
  const of = symbol === "*" ? (venue === "*" ? "what is here" : venue) : `${venue}:${symbol}`;
  return { kind: "unknown-channel", channel, of, channels: channelsInOrder(instruments) };
}

/** What is streamed of any of them, in the order of CHANNELS. */
function channelsInOrder(instruments: readonly Instrument[]): Channel[] {
  const streamed = new Set(instruments.flatMap(channelsOf));
  return CHANNELS.filter((channel) => streamed.has(channel));
}
