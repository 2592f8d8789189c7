import type { TopicError } from "@tickwire/proto/messages";
import type { TopicErrorCode } from "../errors.ts";

/** `TOPIC_ERROR_UNKNOWN` as `topic-unknown`. */
export function topicErrorCode(error: TopicError): TopicErrorCode {
  if (error === "TOPIC_ERROR_UNSPECIFIED") return "topic-refused";
  return `topic-${error.slice("TOPIC_ERROR_".length).toLowerCase().replaceAll("_", "-")}` as TopicErrorCode;
}
