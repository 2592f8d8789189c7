import { isPattern, matchesPattern, parseTopic, parseTopicPattern } from "#core/topic.ts";
import type { TopicPosition } from "../../topics/batch-order.ts";
import type { StreamTopicRequest } from "./stream-request.ts";

/**
 * What a session is asked for, in requests of at most `topicsMax` topics. Topics that only a
 * pattern stands for and that the client has a position of are asked for by name before the
 * pattern, because a position is of one topic.
 */
export function requestsOf(
  topics: readonly StreamTopicRequest[],
  positions: ReadonlyMap<string, TopicPosition>,
  topicsMax: number,
): StreamTopicRequest[][] {
  const names = new Set(topics.map(({ topic }) => topic));
  const patterns = topics.flatMap((request) => {
    const pattern = parseTopicPattern(request.topic);
    return pattern !== undefined && isPattern(pattern) ? [{ request, pattern }] : [];
  });
  const resumed: StreamTopicRequest[] = [];
  for (const text of positions.keys()) {
    const topic = names.has(text) ? undefined : parseTopic(text);
    if (topic === undefined) continue;
    const found = patterns.find(({ pattern }) => matchesPattern(pattern, topic));
    if (found !== undefined) resumed.push({ ...found.request, topic: text, resume: undefined });
  }
  const all = [...resumed, ...topics];
  const requests: StreamTopicRequest[][] = [];
  for (let from = 0; from < all.length; from += topicsMax) {
    requests.push(all.slice(from, from + topicsMax));
  }
  return requests;
}
