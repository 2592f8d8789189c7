import type { Instrument } from "@tickwire/proto/service";
import type { Principal } from "../access/principal.ts";
import type { TurnLine } from "../turns/turns.ts";
import type { StartParts, StartReplies } from "./topic-starts.ts";
import type { SubscriptionTable } from "./topic-subscription.ts";
import type { TopicResultInit } from "./wire-messages.ts";

/** How answers leave. Called synchronously. Results overtake what waits in the lanes of topics. */
export type SubscriptionReplies = StartReplies & {
  unsubscribeResult(requestId: number, results: readonly TopicResultInit[]): void;
  /** The client gets a part of the pattern only. */
  limited(pattern: string): void;
  /** The client wants no more of these topics: nothing of them may follow the result. */
  takeBack(topicIds: ReadonlySet<number>): void;
  /**
   * Takes back the news that waits of these topics. Says of each of which there was some where the
   * client then stands.
   */
  shed(topicIds: ReadonlySet<number>): ReadonlyMap<number, number>;
  /** Market data that was queued since the session began. */
  queuedBytes(): number;
};

/** What the subscriptions of all sessions share. */
export type SubscriptionParts = Pick<
  StartParts,
  "catalog" | "hub" | "looks" | "clock" | "metrics"
> & {
  readonly config: StartParts["limits"];
  /** Where they are. */
  readonly table: SubscriptionTable;
  /** Counts topics for principals, over all of their sessions. */
  readonly accounts: StartParts["account"];
};

/** Whose topics they are. */
export type SubscriptionsHost = {
  /** Who asks, as he is now. */
  readonly principal: Principal;
  /** The work of its topics. Another one when there was no work. */
  readonly line: TurnLine;
  /** Market data that the session should get at most; 0 is no bound. */
  readonly bandwidthBytesPerSecondMax: number;
  /** Whether requests may name so many more topics now. What it grants is used up. */
  takeTopics(topics: number): boolean;
  /** A request turned out to name more topics than it may. It has no other answer. */
  onTooManyTopics(kind: TopicsRequestKind, requestId: number): void;
  /** There is no more work than that which is being finished. */
  onWorkDone(): void;
};

/** A request that names topics. */
export type TopicsRequestKind = "subscribe" | "unsubscribe" | "update";

/** What changed at a venue. */
export type CatalogChange = {
  readonly venue: string;
  /** New ones, and those that are streamed on other channels than before, by symbol. */
  readonly added: ReadonlyMap<string, Instrument>;
  readonly removed: readonly Instrument[];
};
