import { isLike, matchesGrant, overlapOf, parseGrantPattern } from "./grant-pattern.ts";
import type { AskedPattern, GrantPattern, NamedTopic, Overlap } from "./grant-pattern.ts";
import { ACTIONS } from "./access-file.ts";
import type { Action, Grant, Role } from "./access-file.ts";
import { assert } from "#core/assert.ts";

/** In what way somebody may have a topic. */
export type Terms = {
  /** Levels of each side of a book; 0 is all of them. */
  readonly depthMax: number;
  /** At most one batch in so long; 0 is every event. */
  readonly intervalMsMin: number;
  /** Everything comes so much later. */
  readonly delayMs: number;
};

/** What one principal may hold and ask for of one gateway; undefined has no limit of its own. */
export type PrincipalLimits = {
  readonly connectionsMax: number | undefined;
  readonly subscriptionsMax: number | undefined;
  readonly requestsPerSecondMax: number | undefined;
  /** Market data of each of his connections. */
  readonly bandwidthBytesPerSecondMax: number | undefined;
};

type Rule = {
  readonly actions: readonly Action[];
  readonly patterns: readonly GrantPattern[];
  /** Undefined: the topics are refused. */
  readonly terms: Terms | undefined;
};

const WHOLE: Terms = { depthMax: 0, intervalMsMin: 0, delayMs: 0 };

/**
 * What a set of roles permits. The grants of all roles, in their order, are one list, and of a
 * topic the first grant that is about it decides, whether it permits or denies. Whatever no grant
 * is about is refused.
 */
export class Rights {
  readonly isAdmin: boolean;
  readonly limits: PrincipalLimits;
  readonly #rules: readonly Rule[];
  readonly #calls: readonly string[];
  /** The first rule permits everything without a limit, which is what most principals have. */
  readonly #isWhole: boolean;

  constructor(roles: readonly Role[]) {
    const [first] = roles.flatMap(({ grants }) => grants);
    this.#rules = roles.flatMap(({ grants }) => grants.map(ruleOf));
    this.#calls = roles.flatMap(({ calls }) => calls);
    this.#isWhole = first !== undefined && isWholeGrant(first);
    this.isAdmin = roles.some(({ admin }) => admin);
    this.limits = {
      connectionsMax: widest(roles.map(({ limits }) => limits.connectionsMax)),
      subscriptionsMax: widest(roles.map(({ limits }) => limits.subscriptionsMax)),
      requestsPerSecondMax: widest(roles.map(({ limits }) => limits.requestsPerSecondMax)),
      bandwidthBytesPerSecondMax: widest(
        roles.map(({ limits }) => limits.bandwidthBytesPerSecondMax),
      ),
    };
  }

  /** In what way the topic may be had; undefined if it may not. */
  termsOf(action: Action, topic: NamedTopic): Terms | undefined {
    if (this.#isWhole) return WHOLE;
    const isList = topic.channel === "listings";
    for (const { actions, patterns, terms } of this.#rules) {
      if (!actions.includes(action)) continue;
      // A list names everything that the venue has, also what is denied.
      if (isList && terms === undefined && patterns.some((one) => hidesNames(one, topic.venue))) {
        return undefined;
      }
      if (patterns.some((pattern) => matchesGrant(pattern, topic))) return terms;
    }
    return undefined;
  }

  /**
   * How much of a pattern may be had, judged by the grants alone: what there is in the catalog
   * plays no part, so that the answer tells nothing about it.
   */
  overlapOf(action: Action, asked: AskedPattern): Overlap {
    if (this.#isWhole) return "all";
    let isAny = false;
    let isCut = false;
    for (const { actions, patterns, terms } of this.#rules) {
      if (!actions.includes(action)) continue;
      for (const pattern of patterns) {
        const overlap = overlapOf(pattern, asked);
        if (overlap === "none") continue;
        if (overlap === "all") {
          if (terms === undefined) return isAny ? "some" : "none";
          return isCut ? "some" : "all";
        }
        if (terms === undefined) isCut = true;
        else isAny = true;
      }
    }
    return isAny ? "some" : "none";
  }

  /** Whether the method may be called; its topics are asked about besides. */
  mayCall(method: string): boolean {
    return this.#calls.some((mask) => isLike(mask, method));
  }
}

/** Whether a grant denies single instruments of the venue, whose names its list would tell. */
function hidesNames({ venue, symbol }: GrantPattern, ofVenue: string): boolean {
  return symbol !== "*" && isLike(venue, ofVenue);
}

function ruleOf(grant: Grant): Rule {
  const patterns = grant.topics.map((text) => {
    const pattern = parseGrantPattern(text);
    assert(pattern !== undefined, "the patterns of a grant were checked when it was read");
    return pattern;
  });
  const { actions, depthMax, intervalMsMin, delayMs } = grant;
  return {
    actions,
    patterns,
    terms: grant.deny ? undefined : { depthMax, intervalMsMin, delayMs },
  };
}

function isWholeGrant(grant: Grant): boolean {
  const { topics, actions, deny, depthMax, intervalMsMin, delayMs } = grant;
  if (deny || depthMax + intervalMsMin + delayMs > 0) return false;
  return topics.includes("*:*/*") && ACTIONS.every((action) => actions.includes(action));
}

/** The most that any role permits; one without a limit sets none. */
function widest(limits: readonly (number | undefined)[]): number | undefined {
  let widestOne = 0;
  for (const limit of limits) {
    if (limit === undefined) return undefined;
    widestOne = Math.max(widestOne, limit);
  }
  return limits.length === 0 ? undefined : widestOne;
}
