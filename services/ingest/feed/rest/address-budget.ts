import { assert } from "#core/assert.ts";
import type { AddressLimits, FeedAdapter, FeedEndpoints, RateLimit } from "../feed-adapter.ts";
import type { VenueContext } from "../venue-context.ts";
import { RequestPacer } from "./request-pacer.ts";

type BudgetOptions = Pick<VenueContext, "clock" | "policy">;

/**
 * What a venue counts for our address: every connection and every request of the process to one
 * host spends from the same budget, whichever of our venues it is for.
 */
export class AddressBudget {
  /** Connections that are made. */
  readonly connects: RequestPacer;
  /** REST weight. */
  readonly rest: RequestPacer;
  /** Frames on all connections together; undefined where the venue counts by connection. */
  readonly frames: RequestPacer | undefined;
  readonly connections: ConnectionSlots;
  readonly #subscriptionsMax: number;
  #subscriptions = 0;

  constructor(options: BudgetOptions & { readonly limits: FeedAdapter["limits"] }) {
    const { limits, clock, policy } = options;
    const pacer = (limit: RateLimit, waitingMax: number): RequestPacer =>
      new RequestPacer({ limit, clock, waitingMax });
    const { outgoingFrames, connectionsMax, subscriptionsMax }: AddressLimits =
      limits.address ?? {};
    this.connects = pacer(limits.connects, policy.connectsWaitingMax);
    this.rest = pacer(limits.restWeight, policy.snapshotsWaitingMax);
    this.frames = outgoingFrames && pacer(outgoingFrames, policy.outgoingFramesWaitingMax);
    this.connections = new ConnectionSlots({
      openMax: connectionsMax ?? Infinity,
      waitingMax: policy.connectsWaitingMax,
    });
    this.#subscriptionsMax = subscriptionsMax ?? Infinity;
  }

  /** How many of so many more subscriptions the venue still takes; those are spent. */
  takeSubscriptions(wanted: number): number {
    const taken = Math.min(wanted, this.#subscriptionsMax - this.#subscriptions);
    this.#subscriptions += taken;
    return taken;
  }

  /** So many are not subscribed any more. */
  giveBackSubscriptions(count: number): void {
    this.#subscriptions -= count;
    assert(this.#subscriptions >= 0, "no more subscriptions are given back than were taken");
  }

  /** Another of our venues shares it, and declares limits of its own: the tighter ones hold. */
  tighten({ connects, restWeight }: FeedAdapter["limits"]): void {
    this.connects.tighten(connects);
    this.rest.tighten(restWeight);
  }

  /** Forgets what waits. Idempotent. */
  close(): void {
    this.connects.close();
    this.rest.close();
    this.frames?.close();
    this.connections.close();
  }
}

/** How many connections may be open or opening at once; the others wait for one to end. */
class ConnectionSlots {
  readonly #openMax: number;
  readonly #waitingMax: number;
  #waiting: (() => void)[] = [];
  #open = 0;

  constructor(options: { readonly openMax: number; readonly waitingMax: number }) {
    this.#openMax = options.openMax;
    this.#waitingMax = options.waitingMax;
  }

  /**
   * Runs `run`, which may open one connection, now or as soon as there is room. False, and never
   * run, if too many wait.
   */
  submit(run: () => void): boolean {
    if (this.#waiting.length >= this.#waitingMax) return false;
    this.#waiting.push(run);
    this.#runAllowed();
    return true;
  }

  opened(): void {
    this.#open += 1;
  }

  closed(): void {
    this.#open -= 1;
    this.#runAllowed();
  }

  close(): void {
    this.#waiting = [];
  }

  #runAllowed(): void {
    while (this.#open < this.#openMax) {
      const run = this.#waiting.shift();
      if (run === undefined) return;
      run();
    }
  }
}

/** The budgets of a process, by the host that counts. */
export class AddressBudgets {
  readonly #options: BudgetOptions;
  readonly #budgets = new Map<string, AddressBudget>();

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** The budget that a venue spends from; another venue may spend from it too. */
  of({ limits }: FeedAdapter, endpoints: FeedEndpoints): AddressBudget {
    const name = limits.address?.name ?? hostOf(endpoints.webSocket);
    const known = this.#budgets.get(name);
    if (known !== undefined) {
      known.tighten(limits);
      return known;
    }
    const budget = new AddressBudget({ ...this.#options, limits });
    this.#budgets.set(name, budget);
    return budget;
  }

  /** Idempotent. */
  close(): void {
    for (const budget of this.#budgets.values()) budget.close();
  }
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address;
}
