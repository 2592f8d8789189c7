import type { InstrumentState } from "#core/instrument.ts";
import { isMatching } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { StatusReason } from "#core/status-reason.ts";

/** What a channel of a source is worth now, and why. */
export type Verdict = {
  readonly state: TopicState;
  /** A stable kebab-case word. */
  readonly reason: string;
};

/** What is known of one channel of a source. */
type SourceFacts = {
  /** What its publisher says of the channel; undefined if it has said nothing. */
  readonly said: Verdict | undefined;
  /** What can be done with the instrument; undefined if the venue does not say. */
  readonly marketState: InstrumentState | undefined;
  /** Its quote or its book is here, without a hole. */
  readonly isKnown: boolean;
  /** Its own bid is not below its own ask. */
  readonly isCrossed: boolean;
};

/** What is concluded here, and not said by the publisher of the source. */
type Conclusion = Verdict & { readonly reason: StatusReason };

/** Used as it is. */
const USED: Conclusion = { state: "live", reason: "data" };
const UNKNOWN: Conclusion = { state: "syncing", reason: "no-data" };
const HALTED: Conclusion = { state: "stale", reason: "halted" };
const CROSSED: Conclusion = { state: "stale", reason: "crossed" };

/**
 * Whether a source has a part in what is consolidated. It is set aside while nobody knows what it
 * quotes, while its channel is not live, while its orders do not match, and while it contradicts
 * itself.
 */
export function judgeSource({ said, marketState, isKnown, isCrossed }: SourceFacts): Verdict {
  if (said !== undefined && said.state !== "live") return said;
  if (marketState !== undefined && isMatching({ state: marketState }) === false) return HALTED;
  if (!isKnown) return UNKNOWN;
  return isCrossed ? CROSSED : USED;
}
