import { splitTopic } from "#core/topic.ts";
import type { Topic, TopicPattern } from "#core/topic.ts";

/**
 * The topics that a grant is about: VENUE:SYMBOL/channel, in which a "*" stands for any characters
 * within its part, as in `binance:BTC-*` or `*:*-PERP`.
 */
export type GrantPattern = {
  readonly venue: string;
  readonly symbol: string;
  readonly channel: string;
};

/** How much of what somebody asks for something covers. */
export type Overlap = "all" | "some" | "none";

const PART = /^[^\s:/\p{Cc}\p{Cf}\p{Cs}]+$/u;

/** Undefined if the text is not of the form VENUE:SYMBOL/channel with symbols of Tickwire's. */
export function parseGrantPattern(text: string): GrantPattern | undefined {
  const colon = text.indexOf(":");
  const slash = text.lastIndexOf("/");
  if (colon < 0 || slash < colon) return undefined;
  const venue = text.slice(0, colon);
  const symbol = text.slice(colon + 1, slash);
  const channel = text.slice(slash + 1);
  const isWhole = [venue, symbol, channel].every((part) => PART.test(part));
  return isWhole ? { venue, symbol, channel } : undefined;
}

/** Whether the topic is one of those. Names are compared to the letter, case included. */
export function matchesGrant(pattern: GrantPattern, topic: NamedTopic): boolean {
  return (
    isLike(pattern.channel, topic.channel) &&
    isLike(pattern.venue, topic.venue) &&
    isLike(pattern.symbol, topic.symbol)
  );
}

/** A topic by its words, whether there is one of that name or not. */
export type NamedTopic = Omit<Topic, "channel"> & { readonly channel: string };

/**
 * How much of what the asked pattern may ever stand for the grant is about. A part of it is "*" or
 * one name; the list of a venue's market is asked for by "*" as well as by its name.
 */
export function overlapOf(grant: GrantPattern, asked: AskedPattern): Overlap {
  let overlap: Overlap = "all";
  for (const part of ["venue", "symbol", "channel"] as const) {
    const name = asked[part];
    if (name === "*") {
      if (grant[part] !== "*") overlap = "some";
    } else if (!isLike(grant[part], name)) {
      return "none";
    }
  }
  return overlap;
}

/** What a client asks for, by its words. */
export type AskedPattern = Omit<TopicPattern, "channel"> & { readonly channel: string };

/** The words of a topic or pattern; undefined if the text is neither. */
export function askedPattern(text: string): AskedPattern | undefined {
  return splitTopic(text);
}

/** Whether the name is what the mask says, in which each "*" stands for any characters. */
export function isLike(mask: string, name: string): boolean {
  if (mask === "*") return true;
  const star = mask.indexOf("*");
  if (star < 0) return mask === name;
  const head = mask.slice(0, star);
  if (!name.startsWith(head)) return false;
  const parts = mask.slice(star + 1).split("*");
  const tail = parts.pop() ?? "";
  let at = head.length;
  // The first place for each part between two stars is as good as any other.
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - tail.length >= at && name.endsWith(tail);
}
