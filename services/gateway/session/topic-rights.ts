import type { Topic } from "#core/topic.ts";
import { askedPattern } from "../access/grant-pattern.ts";
import type { Principal } from "../access/principal.ts";
import type { UnknownName } from "../catalog/unknown-name.ts";
import type { Terms } from "../access/rights.ts";
import type { Hub } from "../topics/hub.ts";
import type { TopicView } from "../topics/topic-view.ts";
import { offeredView, shallowerDepth } from "../topics/view-options.ts";
import type { ViewOptions, ViewWish } from "../topics/view-options.ts";
import type { TopicRefusal } from "./topic-results.ts";

/** What a client hears of everything that it may not have, whether it is there or not. */
export const DENIED: TopicRefusal = {
  error: "TOPIC_ERROR_PERMISSION_DENIED",
  message: "this topic is not among those that you may have",
};

/** What somebody may have of what he asks for. */
type Right = {
  /** Whether he may have what the text stands for. */
  readonly allows: (topics: readonly Topic[]) => boolean;
  /** Of a pattern: whether he may have the topic. Undefined if he may have all of it. */
  readonly permits: ((topic: Topic) => boolean) | undefined;
  /** He may have a part of the pattern only. */
  readonly isPart: boolean;
};

const NO_RIGHT: Right = { allows: () => false, permits: () => false, isPart: false };

/** What the principal may have of a topic or pattern, found by its text and his rights alone. */
export function rightTo(principal: Principal, text: string): Right {
  const asked = askedPattern(text);
  if (asked === undefined) return NO_RIGHT;
  const permits = (topic: Topic): boolean => principal.may("subscribe", topic) !== undefined;
  if (asked.venue === "*" || asked.symbol === "*" || asked.channel === "*") {
    const overlap = principal.overlapOf("subscribe", asked);
    if (overlap === "all") return { allows: () => true, permits: undefined, isPart: false };
    // The venue's own symbol of an instrument stands for Tickwire's, which rights are about.
    const isAlias = asked.venue !== "*" && asked.symbol !== "*";
    return {
      allows: (topics) => overlap === "some" || (isAlias && topics.length > 0),
      permits,
      isPart: true,
    };
  }
  const isPermitted = principal.may("subscribe", asked) !== undefined;
  return {
    allows: ([topic]) => (topic === undefined ? isPermitted : permits(topic)),
    permits: undefined,
    isPart: false,
  };
}

/** Why a pattern stands for nothing, for somebody who may have only a part of it. */
export function nothingOf(why: UnknownName): TopicRefusal {
  if (why.kind === "not-ready") {
    return { error: "TOPIC_ERROR_NOT_READY", message: "it is not known yet; try again" };
  }
  const message = "there is nothing here of the part that you may have";
  return { error: "TOPIC_ERROR_UNKNOWN_SYMBOL", message };
}

/**
 * The view that somebody gets of a topic that he may have: what he asks for, no deeper and no more
 * often than his terms allow, and as much later as they say.
 */
export function permittedView(
  channel: Topic["channel"],
  { depth, conflationIntervalMs }: ViewWish,
  { depthMax, intervalMsMin, delayMs }: Terms,
): ViewOptions | undefined {
  const wish = { depth, conflationIntervalMs: Math.max(conflationIntervalMs, intervalMsMin) };
  const offered = offeredView(channel, wish);
  if (offered === undefined) return undefined;
  // Rounding up must not lead beyond what is permitted.
  const isTooDeep = depthMax > 0 && (offered.depth === 0 || offered.depth > depthMax);
  const isCut = channel === "book" && isTooDeep;
  const view = isCut ? { ...offered, depth: shallowerDepth(depthMax) } : offered;
  return delayMs === 0 ? view : { ...view, delayMs };
}

/** What the hub holds views with. */
type Holder = Pick<Hub, "hold" | "release">;

/**
 * Holds the view if somebody with these terms may have it. Where there is no room for a view, the
 * hub gives another one that shows more, which is not for everybody.
 */
export function holdPermitted(
  hub: Holder,
  name: Topic,
  {
    options,
    terms,
    asker,
  }: {
    readonly options: ViewOptions;
    readonly terms: Terms;
    readonly asker: Parameters<Hub["hold"]>[2];
  },
): TopicView | undefined {
  const view = hub.hold(name, options, asker);
  if (view === undefined || isWithin(name.channel, view.options, terms)) return view;
  hub.release(view);
  return undefined;
}

/** Whether a view shows no more than the terms allow. */
export function isWithin(
  channel: Topic["channel"],
  { depth, intervalMs, delayMs = 0 }: ViewOptions,
  terms: Terms,
): boolean {
  const isAllowedDepth = terms.depthMax === 0 || (depth > 0 && depth <= terms.depthMax);
  return (
    (channel !== "book" || isAllowedDepth) &&
    intervalMs >= terms.intervalMsMin &&
    delayMs >= terms.delayMs
  );
}
