import type { Bus } from "#bus/bus.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";

/** Every question of a gateway for the state of a topic, which it asks when somebody subscribes. */
const SNAPSHOT_QUERIES = "rq.v1.*.snapshot.>";

/**
 * Topics of one request are asked for one after the other; after this long without one, it was the
 * last.
 */
const QUIET_MS = 300;

export type FirstSubscription = {
  /** Resolves once, a moment after the first subscriber has all its topics. */
  readonly arrived: Promise<void>;
  /** Stops waiting; `arrived` then stays open. */
  cancel(): void;
};

/** Notices on the bus that somebody has subscribed, without answering in anybody's place. */
export function awaitFirstSubscription(bus: Bus, clock: Clock): FirstSubscription {
  let cancelTimer: CancelTimer = () => undefined;
  let resolve: () => void = () => undefined;
  const arrived = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  const subscription = bus.subscribe(SNAPSHOT_QUERIES, () => {
    cancelTimer();
    cancelTimer = clock.after(QUIET_MS, () => {
      subscription.unsubscribe();
      resolve();
    });
  });
  return {
    arrived,
    cancel() {
      subscription.unsubscribe();
      cancelTimer();
    },
  };
}
