import type { Instrument } from "#core/instrument.ts";
import type { FeedSession } from "../feed/connection/feed-session.ts";
import type { ConnectionPlan, FeedSubscription } from "../feed/feed-adapter.ts";
import type { VenueContext } from "../feed/venue-context.ts";

/** A session as its owner makes it. */
export type SessionOfPlan = (
  plan: ConnectionPlan,
  options: { readonly carriesMarket: () => boolean },
) => FeedSession;

type VenueSessionsOptions = Pick<VenueContext, "adapter" | "endpoints" | "bookDepth"> & {
  readonly createSession: SessionOfPlan;
  /** Leaves out what the venue would not take from our address. */
  readonly within: (plans: readonly ConnectionPlan[]) => readonly ConnectionPlan[];
  /** These are subscribed no more. */
  readonly onFreed: (subscriptions: readonly FeedSubscription[]) => void;
  /** These subscriptions are carried by this session from now on. */
  readonly onAssigned: (session: FeedSession, subscriptions: readonly FeedSubscription[]) => void;
};

/**
 * The connections of a venue. What is listed later joins a connection that has room for it, as far
 * as the venue's own rules for planning say so, and one that carries nothing any more is closed.
 */
export class VenueSessions {
  readonly #options: VenueSessionsOptions;
  readonly #sessions: FeedSession[] = [];
  #closed = false;

  constructor(options: VenueSessionsOptions) {
    this.#options = options;
  }

  get all(): readonly FeedSession[] {
    return this.#sessions;
  }

  /**
   * Subscribes to these, on as many connections as that takes, those that are there among them if
   * they `mayJoin`; `onPlanned` is called before anything is asked for. Left out is what the venue
   * does not stream.
   */
  start(
    subscriptions: readonly FeedSubscription[],
    { mayJoin }: { readonly mayJoin: boolean },
    onPlanned: (planned: readonly FeedSubscription[]) => void,
  ): void {
    const { adapter, endpoints, createSession, onAssigned, within } = this.#options;
    const plans = within(adapter.planConnections(subscriptions, endpoints));
    const before = mayJoin ? [...this.#sessions] : [];
    const steps = plans.map((plan) => {
      const joined = before.find((session) => this.#hasRoomFor(session, plan));
      if (joined !== undefined) {
        onAssigned(joined, plan.subscriptions);
        return () => joined.add(plan.subscriptions);
      }
      const session: FeedSession = createSession(plan, {
        carriesMarket: () => this.#carriesMarket(session),
      });
      onAssigned(session, plan.subscriptions);
      this.#sessions.push(session);
      return () => session.start();
    });
    onPlanned(plans.flatMap((plan) => plan.subscriptions));
    for (const step of steps) step();
  }

  /** Ends all that is subscribed of these. */
  stop(instruments: readonly Instrument[]): void {
    const carrier = this.#carrier();
    const gone = new Set(instruments);
    for (const session of this.#sessions.slice()) {
      const freed = subscriptionsOf(session).filter(({ instrument }) => gone.has(instrument));
      if (freed.length > 0) this.#options.onFreed(freed);
      for (const instrument of instruments) session.remove(instrument);
      if (session.subscriptions.length > 0) continue;
      session.close();
      this.#sessions.splice(this.#sessions.indexOf(session), 1);
    }
    const next = this.#carrier();
    if (next !== carrier) next?.subscribeMarket();
  }

  /** Disconnects for good. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of this.#sessions) session.close();
  }

  /** By the venue's rules: whether one connection may have all that it has and all of the plan. */
  #hasRoomFor(session: FeedSession, plan: ConnectionPlan): boolean {
    const { adapter, endpoints } = this.#options;
    if (session.plan.url !== plan.url) return false;
    const together = [...subscriptionsOf(session), ...plan.subscriptions];
    const [first, ...rest] = adapter.planConnections(together, endpoints);
    return rest.length === 0 && first?.url === plan.url;
  }

  #carriesMarket(session: FeedSession): boolean {
    return this.#carrier() === session;
  }

  /** The first session at an address that tells of the market as a whole. */
  #carrier(): FeedSession | undefined {
    const { adapter, bookDepth } = this.#options;
    const options = { requestId: 1, bookDepth };
    return this.#sessions.find(
      ({ plan }) => (adapter.marketFrames?.(plan.url, options).length ?? 0) > 0,
    );
  }
}

function subscriptionsOf(session: FeedSession): readonly FeedSubscription[] {
  return session.subscriptions.map(({ subscription }) => subscription);
}
