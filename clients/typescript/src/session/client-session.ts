import type { ClientStats } from "../stats/stream-stats.ts";
import type { ChannelSource } from "../topics/channel-source.ts";
import type { Subscriptions } from "../topics/subscriptions.ts";
import type { SessionLink } from "./session-part.ts";
import type { Session } from "./session.ts";

/** Where the topics of a client come from. */
export type TopicSource = Pick<Subscriptions, "attach" | "update" | "counters"> & {
  /** What came so far. Rates and lags are of the time since it was called before. */
  stats(): ClientStats;
};

/** What of its session's link a client has from the start. */
export type EarlyLink = Pick<
  SessionLink,
  "clock" | "random" | "backoff" | "nextFrame" | "reportUncaught"
>;

/** What every client needs of its session, be it its own or one that a worker has for tabs. */
export type SessionState = Pick<
  Session,
  "state" | "url" | "transport" | "endError" | "closedBy" | "onState"
> & {
  readonly welcome: { readonly sessionId: string } | undefined;
  close(message?: string): void;
};

/** What carries the parts of a client. */
export type BareSession = SessionState & Pick<Session, "link" | "carry">;

/** What a client with topics needs of its session. */
export type ClientSession = SessionState & {
  readonly link: EarlyLink;
  /**
   * The topics of the client, of which there are one. While nobody looks at the page, they come at
   * this interval at most, unless it is 0.
   */
  openTopics(channels: ChannelSource, hiddenIntervalMs: number): TopicSource;
  /** The session with all of its code. Rejects with why that cannot be had. */
  whole(): Promise<BareSession>;
};
