import type { TopicMeter } from "../stats/stream-stats.ts";
import type { Subscriptions } from "../topics/subscriptions.ts";
import type { Session } from "./session.ts";

/** Where the topics of a client come from. */
export type TopicSource = Pick<Subscriptions, "attach" | "update" | "counters">;

/** What a client needs of its session, be it its own or one that a worker has for several tabs. */
export type ClientSession = Pick<
  Session,
  "state" | "url" | "transport" | "endError" | "closedBy" | "link" | "onState" | "carry"
> & {
  readonly welcome: { readonly sessionId: string } | undefined;
  close(message?: string): void;
  /** Of a session whose topics somebody else has subscribed. */
  openSubscriptions?(meterOf: (topic: string) => TopicMeter): TopicSource;
};
