import type { TopicLanes } from "#gateway/session/outbound/topic-lanes.ts";
import type { SharedBatch } from "#gateway/topics/shared-batch.ts";

/** What a session is owed of one topic, for tests that have one at a time. */
export type TopicLane = ReturnType<typeof laneOf>;

export function laneOf(lanes: TopicLanes, topicId: number) {
  return {
    push: (batch: SharedBatch) => lanes.push(batch),
    pushStart: (batch: SharedBatch) => lanes.pushStart(batch),
    pushMessage: (message: Uint8Array) => lanes.pushMessage(topicId, message),
    pushCheck: (message: Uint8Array) => lanes.pushCheck(topicId, message),
  };
}
