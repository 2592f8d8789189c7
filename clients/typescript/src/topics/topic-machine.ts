/**
 * What a client knows of one topic.
 * `syncing`: nothing yet; a start is waited for. `live`: everything up to its position, and what
 * comes next is news. `rewinding`: something is missing after its position, from which the topic is
 * asked for again. `resyncing`: what it knew is worth nothing; a new start is waited for.
 * `suspended`: there is no connection, and the topic will be resumed from its position.
 * `disconnected`: there is no connection, and nothing to resume from.
 */
export type TopicStage =
  | "syncing"
  | "live"
  | "rewinding"
  | "resyncing"
  | "suspended"
  | "disconnected";

/**
 * What happens to a topic.
 * `resumed`: the gateway goes on after the position. `anew`: the gateway starts the topic anew.
 * `whole`: the state as a whole came; topics whose events stand for themselves have it with their
 * start. `change`: the next event. `gap`: a batch that does not follow. `restart`: the publisher
 * starts anew. `missing`: the gateway will not deliver events that the state is made of.
 * `disconnect`: the connection is gone.
 */
export type TopicEvent =
  | "resumed"
  | "anew"
  | "whole"
  | "change"
  | "gap"
  | "restart"
  | "missing"
  | "disconnect";

/**
 * What is done about it. `apply`: takes the events over. `show`: tells consumers of a book that its
 * worth changed. `ask`: shows it, and asks for the topic again. `ignore`: nothing.
 */
type TopicAction = "apply" | "show" | "ask" | "ignore";

type Cell = readonly [next: TopicStage, action: TopicAction];

const APPLY: Cell = ["live", "apply"];
const LOST: Cell = ["resyncing", "show"];
const ASK: Cell = ["resyncing", "ask"];

/**
 * Every stage by every event. What the table must hold, and `topic-machine.test.ts` shows:
 *
 * 1. Only `live` shows a state, and it is reached by `apply` or from a stage that kept the state.
 * 2. A change is applied only to a known state: in `syncing` and `resyncing` it asks instead.
 * 3. What cannot be proven to follow is never applied: `gap` always asks, and while something is
 *    asked for, it asks again.
 * 4. Without a connection no batch has any effect: what comes then was sent on one that is gone.
 * 5. From every stage `anew` and then `whole` lead to `live`, so that no topic is stuck for ever.
 */
export const TOPIC_TABLE: Readonly<Record<TopicStage, Readonly<Record<TopicEvent, Cell>>>> = {
  syncing: {
    resumed: ["syncing", "ignore"],
    anew: ["syncing", "ignore"],
    whole: APPLY,
    change: ASK,
    gap: ASK,
    restart: ["syncing", "ignore"],
    missing: ["syncing", "ignore"],
    disconnect: ["disconnected", "show"],
  },
  live: {
    resumed: ["live", "show"],
    anew: LOST,
    whole: APPLY,
    change: APPLY,
    gap: ["rewinding", "ask"],
    restart: LOST,
    missing: LOST,
    disconnect: ["suspended", "show"],
  },
  rewinding: {
    resumed: ["live", "show"],
    anew: LOST,
    whole: APPLY,
    change: APPLY,
    gap: ["rewinding", "ask"],
    restart: LOST,
    missing: LOST,
    disconnect: ["suspended", "show"],
  },
  resyncing: {
    resumed: ["resyncing", "ignore"],
    anew: ["resyncing", "ignore"],
    whole: APPLY,
    change: ASK,
    gap: ASK,
    restart: ["resyncing", "ignore"],
    missing: ["resyncing", "ignore"],
    disconnect: ["disconnected", "show"],
  },
  suspended: {
    resumed: ["live", "show"],
    anew: LOST,
    whole: ["suspended", "ignore"],
    change: ["suspended", "ignore"],
    gap: ["suspended", "ignore"],
    restart: ["suspended", "ignore"],
    missing: ["suspended", "ignore"],
    disconnect: ["suspended", "ignore"],
  },
  disconnected: {
    resumed: LOST,
    anew: LOST,
    whole: ["disconnected", "ignore"],
    change: ["disconnected", "ignore"],
    gap: ["disconnected", "ignore"],
    restart: ["disconnected", "ignore"],
    missing: ["disconnected", "ignore"],
    disconnect: ["disconnected", "ignore"],
  },
};

/** Whether the state of the topic is known up to its position. */
export function isStateKnown(stage: TopicStage): boolean {
  return stage === "live" || stage === "rewinding" || stage === "suspended";
}
