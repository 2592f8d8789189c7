import type { TopicError } from "@tickwire/proto/messages";
import type { TopicErrorCode } from "../errors.ts";

/** `TOPIC_ERROR_UNKNOWN_VENUE` as `topic-unknown-venue`. */
export function topicErrorCode(error: TopicError): TopicErrorCode {
  // What this version has no word for is read as UNKNOWN.
  if (error === "TOPIC_ERROR_UNSPECIFIED" || error === "TOPIC_ERROR_UNKNOWN") {
    return "topic-refused";
  }
  return `topic-${error.slice("TOPIC_ERROR_".length).toLowerCase().replaceAll("_", "-")}` as TopicErrorCode;
}
