import type { FeedSubscription } from "../feed-adapter.ts";
import type { SubscriptionState } from "./subscription-life.ts";

/** What is expected of a subscription; it is the same for its whole life. */
export type Expectation = {
  /** Silence that it may keep; undefined where it may be silent for ever. */
  readonly silenceMsMax: number | undefined;
  /** The venue sends it at least so often whatever happens, so that its silence is a fault. */
  readonly isAlwaysSpoken: boolean;
  /** How long its first data may take after its confirmation; undefined where none need come. */
  readonly firstDataMsMax: number | undefined;
  /** After so much silence the venue is asked whether anything happened; undefined if it cannot. */
  readonly doubtMs: number | undefined;
};

/** One subscription of a connection, and what is known about its health. */
export type Watched = {
  readonly subscription: FeedSubscription;
  readonly expected: Expectation;
  state: SubscriptionState;
  /** When data came last; before the first, when it was asked for. */
  lastDataUs: number;
  /** How often it was asked for anew since it became stale, or since its first data is late. */
  recoveries: number;
  nextRecoveryUs: number;
  /** Proven that the venue had data which did not come. */
  isProvenDead: boolean;
  /** When it is asked for again if it is neither confirmed nor served until then. */
  askAgainUs: number;
  /** When it was asked for last. */
  askedUs: number;
  /** How often it was asked for in vain on this connection. */
  asks: number;
  /** Refusals since it was last confirmed or served. */
  refusals: number;
  /** The venue's words for the last of them. */
  refusal: string;
  /** How often it was doubted in vain since its last data. */
  doubts: number;
  nextDoubtUs: number;
  /** The connection was lost since the last data, so trades may have been too. */
  interrupted: boolean;
};

/** A subscription that nobody has asked for yet. */
export function watch(subscription: FeedSubscription, expected: Expectation): Watched {
  return {
    subscription,
    expected,
    state: "pending",
    lastDataUs: Number.NEGATIVE_INFINITY,
    recoveries: 0,
    nextRecoveryUs: 0,
    isProvenDead: false,
    askAgainUs: Infinity,
    askedUs: Number.NEGATIVE_INFINITY,
    asks: 0,
    refusals: 0,
    refusal: "",
    doubts: 0,
    nextDoubtUs: 0,
    interrupted: false,
  };
}
