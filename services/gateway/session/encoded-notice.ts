import { encodeServerMessages } from "#wire/frame-codec.ts";
import type { NoticeInit } from "./wire-messages.ts";

/** What is said of a topic. */
type TopicNotice = Pick<
  NoticeInit,
  "kind" | "message" | "topicId" | "missingFirst" | "missingLast" | "position" | "continues"
>;

let last: { readonly notice: TopicNotice; readonly bytes: Uint8Array } | undefined;

/**
 * A notice as an element of ServerFrame.messages, for lanes to share and nobody to change:
 * thousands of sessions that follow a topic are told the same of it, one after the other.
 */
export function encodedNotice(notice: TopicNotice): Uint8Array {
  if (last !== undefined && isSame(last.notice, notice)) return last.bytes;
  const bytes = encodeServerMessages([{ kind: "notice", value: notice }]);
  last = { notice, bytes };
  return bytes;
}

function isSame(one: TopicNotice, other: TopicNotice): boolean {
  return (
    one.kind === other.kind &&
    one.topicId === other.topicId &&
    one.missingFirst === other.missingFirst &&
    one.missingLast === other.missingLast &&
    one.message === other.message &&
    one.continues === other.continues &&
    one.position?.epoch === other.position?.epoch &&
    one.position?.sequence === other.position?.sequence
  );
}
