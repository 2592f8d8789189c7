import { quotedText } from "#core/visible-text.ts";
import type { TopicPattern } from "#core/topic.ts";
import type { TopicRefusal } from "./topic-results.ts";
import type { TopicRequestMessage } from "./wire-messages.ts";

/**
 * Why a topic cannot be had in the way that the request asks for; undefined if it can. An option
 * that would have no effect is refused: a client must not take a whole book for the ten levels that
 * it asked for.
 */
export function optionsRefusal(
  { topic, depth, conflationIntervalMs, resume }: TopicRequestMessage,
  pattern: TopicPattern | undefined,
): TopicRefusal | undefined {
  if (depth !== 0) {
    return unsupported(`depth ${depth} is not offered; books have all their levels (depth 0)`);
  }
  if (conflationIntervalMs !== 0) {
    const asked = `conflation_interval_ms ${conflationIntervalMs}`;
    return unsupported(`${asked} is not offered; every event is sent (0)`);
  }
  if (pattern !== undefined && resume !== undefined) {
    const message = `a position is of one topic, and ${quotedText(topic)} is a pattern`;
    return { error: "TOPIC_ERROR_MALFORMED", message };
  }
  return undefined;
}

function unsupported(message: string): TopicRefusal {
  return { error: "TOPIC_ERROR_UNSUPPORTED_OPTION", message };
}
