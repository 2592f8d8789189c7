import { quotedText } from "#core/visible-text.ts";
import type { TopicPattern } from "#core/topic.ts";
import { VIEW_INTERVAL_MS_MAX } from "../topics/view-options.ts";
import type { TopicRefusal } from "./topic-results.ts";
import type { TopicRequestMessage } from "./wire-messages.ts";

/** Why a topic cannot be had in the way that the request asks for; undefined if it can. */
export function optionsRefusal(
  { topic, conflationIntervalMs, resume }: TopicRequestMessage,
  pattern: TopicPattern | undefined,
): TopicRefusal | undefined {
  const refusal = intervalRefusal(conflationIntervalMs);
  if (refusal !== undefined) return refusal;
  if (pattern !== undefined && resume !== undefined) {
    const message = `a position is of one topic, and ${quotedText(topic)} is a pattern`;
    return { error: "TOPIC_ERROR_MALFORMED", message };
  }
  return undefined;
}

/** Why the interval is not to be had: rounded down, it would send more than was asked for. */
export function intervalRefusal(conflationIntervalMs: number): TopicRefusal | undefined {
  if (conflationIntervalMs <= VIEW_INTERVAL_MS_MAX) return undefined;
  const message =
    `conflation_interval_ms ${conflationIntervalMs} is not offered; ` +
    `the longest is ${VIEW_INTERVAL_MS_MAX}`;
  return { error: "TOPIC_ERROR_UNSUPPORTED_OPTION", message };
}
