import type { TopicState } from "#core/market-event.ts";
import type { StatusReason } from "#core/status-reason.ts";

/** Where one subscription of a connection stands. */
export type SubscriptionState =
  /** Asked for, or about to be; nothing has come of it yet. */
  | "pending"
  /** Confirmed, and its first data is awaited, which must come. */
  | "acknowledged"
  /** Confirmed where nothing need follow, or its data flows. */
  | "live"
  /** Live but quiet for so long that the venue is being asked by REST whether anything happened. */
  | "doubted"
  /** Silent for longer than its channel may be, or the venue is known to have kept data back. */
  | "stale"
  /** Asked for again and again, but neither an answer nor the first data that must come came. */
  | "unserved"
  /** The venue refused it for the moment; it is asked for again. */
  | "waiting"
  /** The venue does not serve it on this connection. */
  | "refused"
  /** There is no connection. */
  | "down";

/** What happens to a subscription. */
export type SubscriptionEvent =
  /** A new connection asks for it. */
  | "requested"
  /** The venue confirmed it, and need not send anything for now. */
  | "acknowledged"
  /** The venue confirmed it, and its first data must follow. */
  | "promised"
  /** The venue refused it for the moment. */
  | "put-off"
  /** The venue refused it for good, or for the moment once too often. */
  | "refused"
  /** Its data arrived. */
  | "data"
  /** It was found silent for longer than its channel may be. */
  | "silent"
  /** It was found silent, which proves nothing; the venue is asked. */
  | "doubted"
  /** The venue's REST shows that nothing happened that it should have told. */
  | "nothing-missed"
  /** The venue had data for it that did not come. */
  | "unserved"
  /** It was asked for again and again, and the venue did not say a word. */
  | "unanswered"
  /** The connection is gone. */
  | "disconnected";

/** What an event does in a state. */
type SubscriptionStep = {
  readonly next: SubscriptionState;
  /** What those who follow the channel are told; undefined if nothing is new for them. */
  readonly told: { readonly state: TopicState; readonly reason: StatusReason } | undefined;
};

function step(
  next: SubscriptionState,
  state?: TopicState,
  reason: StatusReason = "data",
): SubscriptionStep {
  return { next, told: state === undefined ? undefined : { state, reason } };
}

const BEGIN = step("pending", "syncing", "subscribing");
const CONFIRM = step("live", "live", "subscribed");
const AWAIT = step("acknowledged", "syncing", "acknowledged");
const FLOW = step("live", "live", "data");
const PUT_OFF = step("waiting", "syncing", "refused-for-now");
const REFUSE = step("refused", "down", "refused");
const SILENCE = step("stale", "stale", "silent");
const MISS = step("stale", "stale", "not-served");
const LACK = step("unserved", "down", "not-served");
const UNHEARD = step("unserved", "down", "not-answered");
const LOSE = step("down", "down", "disconnected");

/**
 * The life of a subscription, every state by every event. Invariants:
 * 1. data makes a subscription live, whatever was said of it before (column `data`);
 * 2. a confirmation never hides that nothing comes: it ends neither `doubted` nor `stale`, nor does
 *    it end `unserved` where first data must come (columns `acknowledged` and `promised`);
 * 3. without a connection nothing is expected: `disconnected` leads to `down` from everywhere, and
 *    what was refused or down is asked for again by the next one (column `requested`);
 * 4. only what is expected can be found silent: `waiting`, `refused` and `down` are not judged;
 * 5. nothing whose first data must come is live before it came: `promised` leads to live nowhere;
 * 6. that nothing was missed ends a doubt and a silence, but is no first data (`unserved`).
 */
export const SUBSCRIPTION_LIFE: Readonly<
  Record<SubscriptionState, Readonly<Record<SubscriptionEvent, SubscriptionStep>>>
> = {
  pending: {
    requested: step("pending"),
    acknowledged: CONFIRM,
    promised: AWAIT,
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: FLOW,
    silent: SILENCE,
    doubted: step("pending"),
    "nothing-missed": step("pending"),
    unserved: LACK,
    unanswered: UNHEARD,
    disconnected: LOSE,
  },
  acknowledged: {
    requested: step("pending"),
    acknowledged: CONFIRM,
    promised: step("acknowledged"),
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: FLOW,
    silent: SILENCE,
    doubted: step("acknowledged"),
    "nothing-missed": step("acknowledged"),
    unserved: LACK,
    unanswered: step("acknowledged"),
    disconnected: LOSE,
  },
  live: {
    requested: step("live"),
    acknowledged: step("live"),
    promised: step("live"),
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: step("live"),
    silent: SILENCE,
    doubted: step("doubted"),
    "nothing-missed": step("live"),
    unserved: MISS,
    unanswered: step("live"),
    disconnected: LOSE,
  },
  doubted: {
    requested: step("doubted"),
    acknowledged: step("doubted"),
    promised: step("doubted"),
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: step("live"),
    silent: SILENCE,
    doubted: step("doubted"),
    "nothing-missed": step("live"),
    unserved: MISS,
    unanswered: step("doubted"),
    disconnected: LOSE,
  },
  stale: {
    requested: step("stale"),
    acknowledged: step("stale"),
    promised: step("stale"),
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: step("live", "live", "data-resumed"),
    silent: step("stale"),
    doubted: step("stale"),
    "nothing-missed": step("live", "live", "nothing-missed"),
    unserved: step("stale"),
    unanswered: step("stale"),
    disconnected: LOSE,
  },
  unserved: {
    requested: step("pending"),
    acknowledged: CONFIRM,
    promised: step("unserved"),
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: FLOW,
    silent: step("unserved"),
    doubted: step("unserved"),
    "nothing-missed": step("unserved"),
    unserved: step("unserved"),
    unanswered: step("unserved"),
    disconnected: LOSE,
  },
  waiting: {
    requested: BEGIN,
    acknowledged: CONFIRM,
    promised: AWAIT,
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: FLOW,
    silent: step("waiting"),
    doubted: step("waiting"),
    "nothing-missed": step("waiting"),
    unserved: step("waiting"),
    unanswered: step("waiting"),
    disconnected: LOSE,
  },
  refused: {
    requested: BEGIN,
    acknowledged: CONFIRM,
    promised: AWAIT,
    "put-off": step("refused"),
    refused: REFUSE,
    data: FLOW,
    silent: step("refused"),
    doubted: step("refused"),
    "nothing-missed": step("refused"),
    unserved: step("refused"),
    unanswered: step("refused"),
    disconnected: LOSE,
  },
  down: {
    requested: BEGIN,
    acknowledged: CONFIRM,
    promised: AWAIT,
    "put-off": PUT_OFF,
    refused: REFUSE,
    data: FLOW,
    silent: step("down"),
    doubted: step("down"),
    "nothing-missed": step("down"),
    unserved: step("down"),
    unanswered: step("down"),
    disconnected: step("down"),
  },
};

const NOT_JUDGED: ReadonlySet<SubscriptionState> = new Set(["waiting", "refused", "down"]);

/** Whether silence of a subscription in this state means anything. */
export function isJudged(state: SubscriptionState): boolean {
  return !NOT_JUDGED.has(state);
}
