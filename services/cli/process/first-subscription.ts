import { WireError } from "@tickwire/proto/codec";
import type { Bus } from "#bus/bus.ts";
import { SNAPSHOT_QUERIES } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { decodeSnapshotRequest } from "#wire/bus-codec.ts";

/**
 * A gateway asks for a bounded number of topics at once. When this many checks in a row find no
 * further query, the last one ended the request. A process that stalls counts as one check.
 */
const QUIET_LOOKS = 4;
const LOOK_MS = 100;

type FirstSubscription = {
  /** Resolves once, a moment after the first subscriber has all its topics. */
  readonly arrived: Promise<void>;
  /** Stops waiting; `arrived` then stays open. */
  cancel(): void;
};

/**
 * Notices on the bus that somebody has subscribed, without answering in anybody's place: a gateway
 * then asks for the state of a topic in pages. For a GetSnapshot call it asks for all at once.
 */
export function awaitFirstSubscription(bus: Bus, clock: Clock): FirstSubscription {
  let cancelTimer: CancelTimer = () => undefined;
  let resolve: () => void = () => undefined;
  const arrived = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  let looksLeft = QUIET_LOOKS;
  const look = (): void => {
    looksLeft -= 1;
    if (looksLeft > 0) {
      cancelTimer = clock.after(LOOK_MS, look);
      return;
    }
    subscription.unsubscribe();
    resolve();
  };
  const subscription = bus.subscribe(SNAPSHOT_QUERIES, ({ payload }) => {
    if (!asksForPages(payload)) return;
    cancelTimer();
    looksLeft = QUIET_LOOKS;
    cancelTimer = clock.after(LOOK_MS, look);
  });
  return {
    arrived,
    cancel() {
      subscription.unsubscribe();
      cancelTimer();
    },
  };
}

function asksForPages(payload: Uint8Array): boolean {
  try {
    return decodeSnapshotRequest(payload).paged;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
