import type { TopicState } from "#core/market-event.ts";

/** Where one subscription of a connection stands. */
export type SubscriptionState =
  /** Asked for, or about to be; nothing has come of it yet. */
  | "pending"
  /** Confirmed, or its data flows. */
  | "live"
  /** Silent for longer than its channel may be. */
  | "stale"
  /** The venue does not serve it on this connection. */
  | "refused"
  /** There is no connection. */
  | "down";

/** What happens to a subscription. */
export type SubscriptionEvent =
  /** A new connection asks for it. */
  | "requested"
  /** The venue confirmed it. */
  | "acknowledged"
  /** The venue refused it. */
  | "refused"
  /** Its data arrived. */
  | "data"
  /** It was found silent for longer than its channel may be. */
  | "silent"
  /** The connection is gone. */
  | "disconnected";

/** What an event does in a state. */
type SubscriptionStep = {
  readonly next: SubscriptionState;
  /** What those who follow the channel are told; undefined if nothing is new for them. */
  readonly told: { readonly state: TopicState; readonly reason: string } | undefined;
};

function step(next: SubscriptionState, state?: TopicState, reason: string = ""): SubscriptionStep {
  return { next, told: state === undefined ? undefined : { state, reason } };
}

const BEGIN = step("pending", "syncing", "subscribing");
const CONFIRM = step("live", "live", "subscribed");
const FLOW = step("live", "live", "data");
const REFUSE = step("refused", "down", "refused");
const SILENCE = step("stale", "stale", "silent");
const LOSE = step("down", "down", "disconnected");

/**
 * The life of a subscription, every state by every event. Invariants:
 * 1. data makes a subscription live, whatever was said of it before (column `data`);
 * 2. a confirmation never hides a silence: it does not end `stale` (cell `stale.acknowledged`);
 * 3. without a connection nothing is pending, live or stale (column `disconnected`), and what was
 *    refused or down is asked for again by the next one (column `requested`);
 * 4. only what is expected can be silent: `refused` and `down` are not judged (column `silent`).
 */
export const SUBSCRIPTION_LIFE: Readonly<
  Record<SubscriptionState, Readonly<Record<SubscriptionEvent, SubscriptionStep>>>
> = {
  pending: {
    requested: step("pending"),
    acknowledged: CONFIRM,
    refused: REFUSE,
    data: FLOW,
    silent: SILENCE,
    disconnected: LOSE,
  },
  live: {
    requested: step("live"),
    acknowledged: step("live"),
    refused: REFUSE,
    data: step("live"),
    silent: SILENCE,
    disconnected: LOSE,
  },
  stale: {
    requested: step("stale"),
    acknowledged: step("stale"),
    refused: REFUSE,
    data: step("live", "live", "data-resumed"),
    silent: step("stale"),
    disconnected: LOSE,
  },
  refused: {
    requested: BEGIN,
    acknowledged: CONFIRM,
    refused: REFUSE,
    data: FLOW,
    silent: step("refused"),
    disconnected: LOSE,
  },
  down: {
    requested: BEGIN,
    acknowledged: CONFIRM,
    refused: REFUSE,
    data: FLOW,
    silent: step("down"),
    disconnected: step("down"),
  },
};

/** Whether silence of a subscription in this state means anything. */
export function isJudged(state: SubscriptionState): boolean {
  return state !== "refused" && state !== "down";
}
