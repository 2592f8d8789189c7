import { CHANNELS, type Channel } from "./instrument.ts";

/** What clients subscribe to: one channel of one instrument of one venue. */
export type Topic = {
  readonly venue: string;
  readonly symbol: string;
  readonly channel: Channel;
};

/** A topic of which each part may be "*", which stands for anything. */
export type TopicPattern = {
  readonly venue: string;
  readonly symbol: string;
  readonly channel: Channel | "*";
};

/** Longest topic text that is read, in UTF-16 code units. */
export const TOPIC_LENGTH_MAX = 256;

const VENUE = /^[a-z0-9][a-z0-9-]*$/;
// Venues list instruments with names in any script; what separates topics is kept out, and what
// cannot be seen or turns the direction of writing, because two names would look the same.
const SYMBOL = /^[^\s:/*\p{Cc}\p{Cf}\p{Cs}]+$/u;
// Venues separate with these too.
const VENUE_SYMBOL = /^[^\s*\p{Cc}\p{Cf}\p{Cs}]+$/u;
const CHANNEL_SET: ReadonlySet<string> = new Set(CHANNELS);

/**
 * Reads `venue:SYMBOL/channel`; undefined if the text is not of that form or the channel is
 * unknown.
 */
export function parseTopic(text: string): Topic | undefined {
  const pattern = parseTopicPattern(text);
  if (pattern === undefined || isPattern(pattern)) return undefined;
  return pattern as Topic;
}

/** The text that `parseTopic` reads back to the same topic. */
export function formatTopic(topic: TopicPattern): string {
  return `${topic.venue}:${topic.symbol}/${topic.channel}`;
}

/** Reads a topic of which each part may be "*". A topic without "*" matches only itself. */
export function parseTopicPattern(text: string): TopicPattern | undefined {
  if (text.length > TOPIC_LENGTH_MAX) return undefined;
  const colon = text.indexOf(":");
  const slash = text.indexOf("/", colon);
  if (colon < 0 || slash < 0) return undefined;
  const venue = text.slice(0, colon);
  const symbol = text.slice(colon + 1, slash);
  const channel = text.slice(slash + 1);
  if (venue !== "*" && !isVenueId(venue)) return undefined;
  if (symbol !== "*" && !isSymbol(symbol)) return undefined;
  if (channel !== "*" && !isChannel(channel)) return undefined;
  return { venue, symbol, channel };
}

/** The parts of a topic as somebody asks for it, before it is known what they name. */
type TopicWords = {
  /** A venue's id, or "*". */
  readonly venue: string;
  /** Tickwire's symbol or the venue's own, which may hold ":" and "/"; or "*". */
  readonly symbol: string;
  /** Any text. */
  readonly channel: string;
};

/**
 * Splits what is of the form `venue:SYMBOL/channel`: the venue ends at the first colon, the channel
 * begins behind the last slash. Undefined for everything else.
 */
export function splitTopic(text: string): TopicWords | undefined {
  if (text.length > TOPIC_LENGTH_MAX) return undefined;
  const colon = text.indexOf(":");
  const slash = text.lastIndexOf("/");
  if (colon < 0 || slash < colon) return undefined;
  const venue = text.slice(0, colon);
  const symbol = text.slice(colon + 1, slash);
  const channel = text.slice(slash + 1);
  if (venue !== "*" && !isVenueId(venue)) return undefined;
  if (symbol !== "*" && !VENUE_SYMBOL.test(symbol)) return undefined;
  return channel === "" ? undefined : { venue, symbol, channel };
}

/** True if any part is "*". */
export function isPattern(pattern: TopicPattern): boolean {
  return pattern.venue === "*" || pattern.symbol === "*" || pattern.channel === "*";
}

/** True if every part of the pattern is "*" or equal to the topic's. */
export function matchesPattern(pattern: TopicPattern, topic: Topic): boolean {
  return (
    (pattern.channel === "*" || pattern.channel === topic.channel) &&
    (pattern.symbol === "*" || pattern.symbol === topic.symbol) &&
    (pattern.venue === "*" || pattern.venue === topic.venue)
  );
}

/** True for the lower-case ids that venues have. */
export function isVenueId(text: string): boolean {
  return VENUE.test(text);
}

/**
 * True for what may stand as the symbol of a topic: no white space, controls, invisible characters,
 * ":", "/" or "*", and not longer than a topic.
 */
export function isSymbol(text: string): boolean {
  return text.length <= TOPIC_LENGTH_MAX && SYMBOL.test(text);
}

export function isChannel(text: string): text is Channel {
  return CHANNEL_SET.has(text);
}
