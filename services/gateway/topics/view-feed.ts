import type { TopicFeed } from "./topic-feed.ts";

/** What views ask of the topic that they show: as it is published, or as it was some time ago. */
export type ViewFeed = Pick<
  TopicFeed,
  | "id"
  | "name"
  | "topic"
  | "position"
  | "sequence"
  | "sentBytes"
  | "whenReady"
  | "attach"
  | "detach"
  | "unlist"
  | "countResume"
  | "historySince"
  | "lossUntil"
  | "earlierEvents"
>;
