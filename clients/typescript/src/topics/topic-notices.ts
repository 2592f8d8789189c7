import type { ConflationEvent, GapEvent } from "../events/stream-events.ts";
import type { Position } from "./position-tracker.ts";
import type { TopicInfo } from "./topic.ts";

type Loss = Pick<GapEvent, "epoch" | "missingFirst" | "missingLast" | "reason">;

/** The notice that events of a topic did not come and will not come. */
export function gapNotice({ topic, venue, symbol }: TopicInfo, loss: Loss): GapEvent {
  return { type: "gap", topic, venue, symbol, ...loss };
}

/** The notice that a topic comes at another interval from here on. */
export function conflationNotice(
  { topic, venue, symbol }: TopicInfo,
  said: Omit<ConflationEvent, "type" | "topic" | "venue" | "symbol">,
): ConflationEvent {
  const { conflationIntervalMs, bandwidthBytesPerSecond, bandwidthBytesPerSecondMax } = said;
  return {
    type: "conflation",
    topic,
    venue,
    symbol,
    conflationIntervalMs,
    bandwidthBytesPerSecond,
    bandwidthBytesPerSecondMax,
    message: said.message,
  };
}

/**
 * What is lost when a topic starts anew at `now` and not after `before`; undefined if nothing.
 * `ended` is where the gateway says that an earlier epoch came to its end.
 */
export function lossBetween(
  before: Position,
  now: Position | undefined,
  ended?: Position,
): Loss | undefined {
  const missingFirst = before.sequence + 1;
  const { epoch } = before;
  if (now === undefined || now.epoch !== epoch) {
    const missingLast = ended?.epoch === epoch ? ended.sequence : undefined;
    if (missingLast !== undefined && missingLast < missingFirst) return undefined;
    return { epoch, missingFirst, missingLast, reason: "epoch-changed" };
  }
  if (now.sequence <= before.sequence) return undefined;
  return { epoch, missingFirst, missingLast: now.sequence, reason: "not-resumable" };
}
