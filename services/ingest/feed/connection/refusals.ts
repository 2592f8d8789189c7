import type { RefusalRules } from "../feed-adapter.ts";

/**
 * For a venue that does not say what its refusals mean. The words of a moment go first: `too many
 * invalid requests` passes.
 */
const BY_WORDS: RefusalRules = {
  harmless: { words: /already|repeated|duplicat/i },
  passing: {
    words:
      /too (?:many|fast|frequent)|rate|limit|throttl|frequen|busy|tempor|maint|timeout|timed out|try again|unavailable|overload|internal|server error|\b(?:429|5\d\d)\b/i,
  },
  final: {
    words:
      /invalid|not (?:a )?valid|unknown|unsupported|not support|not exist|n't exist|not found|no such|illegal|bad (?:channel|symbol|topic|request)|malformed|wrong|expired|delisted|unrecogni[sz]ed|permission|unauthori[sz]ed|auth|forbidden|not allowed|require/i,
  },
};

/** What a refusal means for the subscription. */
export type RefusalKind =
  /** It is as it was asked for already, such as a request that came twice. */
  | "harmless"
  /** The venue cannot serve it, however often it is asked. */
  | "final"
  /** The venue cannot serve it now: maintenance, an error of its own. */
  | "passing"
  /** Passing, and the whole address asks too much. */
  | "too-fast"
  /** The venue's documents do not say. */
  | "unknown";

/** A refusal in the venue's own words. */
type Refusal = { readonly code?: string | undefined; readonly reason: string };

/** Codes that mean one thing go first; words decide where there is no code or it means several. */
const KINDS = ["harmless", "too-fast", "passing", "final"] as const;

const NAMES = {
  harmless: "harmless",
  "too-fast": "tooFast",
  passing: "passing",
  final: "final",
} as const satisfies Record<(typeof KINDS)[number], keyof RefusalRules>;

/**
 * Reads a refusal by what the venue's documents say of its codes and words. What they do not tell
 * is taken to pass, a handful of times: asking once more costs a frame, and not asking costs the
 * channel.
 */
export function refusalKindOf(
  { code, reason }: Refusal,
  rules: RefusalRules = BY_WORDS,
): RefusalKind {
  for (const kind of KINDS) {
    if (code !== undefined && rules[NAMES[kind]]?.codes?.includes(code) === true) return kind;
  }
  for (const kind of KINDS) {
    if (rules[NAMES[kind]]?.words?.test(reason) === true) return kind;
  }
  return "unknown";
}
