/** What a refusal means for the subscription. */
type RefusalKind =
  /** It is served already: the request came twice. */
  | "repeated"
  /** The venue cannot serve it, however often it is asked. */
  | "final"
  /** The venue cannot serve it now: too many requests, maintenance, an error of its own. */
  | "passing";

const REPEATED = /already|repeated|duplicat/i;

/** The words of a moment go first: `too many invalid requests` passes. */
const PASSING =
  /too (?:many|fast|frequent)|rate|limit|throttl|frequen|busy|tempor|maint|timeout|timed out|try again|unavailable|overload|internal|server error|\b(?:429|5\d\d)\b/i;

const FINAL =
  /invalid|not (?:a )?valid|unknown|unsupported|not support|not exist|n't exist|not found|no such|illegal|bad (?:channel|symbol|topic|request)|malformed|wrong|expired|delisted|unrecogni[sz]ed|permission|unauthori[sz]ed|auth|forbidden|not allowed|require/i;

/**
 * Reads the venue's words. What they do not tell is taken to pass: asking once more costs a frame,
 * and not asking costs the channel.
 */
export function refusalKindOf(reason: string): RefusalKind {
  if (REPEATED.test(reason)) return "repeated";
  if (PASSING.test(reason)) return "passing";
  return FINAL.test(reason) ? "final" : "passing";
}
