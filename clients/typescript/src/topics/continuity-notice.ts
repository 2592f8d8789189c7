import type { ContinuityEvent } from "../events/stream-events.ts";
import type { Position } from "./position-tracker.ts";
import type { TopicInfo } from "./topic.ts";

/** The notice of how a topic goes on after a position. */
export function continuityNotice(
  { topic, venue, symbol }: Pick<TopicInfo, "topic" | "venue" | "symbol">,
  { epoch, sequence }: Position,
  continuity: ContinuityEvent["continuity"],
  reason: string,
): ContinuityEvent {
  return { type: "continuity", topic, venue, symbol, continuity, epoch, sequence, reason };
}
