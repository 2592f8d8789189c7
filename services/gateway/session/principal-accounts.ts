import type { Principal } from "../access/principal.ts";
import type { PrincipalLimits } from "../access/rights.ts";
import type { AccessMetrics } from "../access/access-metrics.ts";
import { TokenBucket } from "./rate-limits.ts";

/** Principals that are remembered; above, those that hold nothing are forgotten. */
const IDLE_MAX = 10_000;

/** What one principal holds of this gateway, whatever carries it. */
type Account = {
  connections: number;
  subscriptions: number;
  /** Made when somebody with a limit asks for the first time. */
  requests: { readonly perSecond: number; readonly bucket: TokenBucket } | undefined;
};

/**
 * What each principal holds and asks for of this gateway, over all of its connections and requests,
 * for the limits that its roles set. Each gateway counts for itself.
 */
export class PrincipalAccounts {
  readonly #metrics: Pick<AccessMetrics, "accessLimited">;
  readonly #accounts = new Map<string, Account>();

  constructor(metrics: Pick<AccessMetrics, "accessLimited">) {
    this.#metrics = metrics;
  }

  /** Principals that are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Counts a connection. False if he has as many as he may have; then nothing is counted. */
  takeConnection({ id, limits }: Principal): boolean {
    const account = this.#of(id);
    if (this.#isOver("connectionsMax", limits, account.connections)) return false;
    account.connections += 1;
    return true;
  }

  /** To be called once for each connection that was counted. */
  giveConnection({ id }: Principal): void {
    this.#of(id).connections -= 1;
  }

  /** Counts a topic. False if he has as many as he may have; then nothing is counted. */
  takeSubscription({ id, limits }: Principal): boolean {
    const account = this.#of(id);
    if (this.#isOver("subscriptionsMax", limits, account.subscriptions)) return false;
    account.subscriptions += 1;
    return true;
  }

  /** To be called once for each topic that was counted. */
  giveSubscription({ id }: Principal): void {
    this.#of(id).subscriptions -= 1;
  }

  /** Whether he may ask for so much more now. What is granted is used up. */
  takeRequests({ id, limits }: Principal, requests: number, nowUs: number): boolean {
    const perSecond = limits.requestsPerSecondMax;
    if (perSecond === undefined) return true;
    const account = this.#of(id);
    if (account.requests?.perSecond !== perSecond) {
      account.requests = { perSecond, bucket: new TokenBucket(perSecond, nowUs) };
    }
    if (account.requests.bucket.take(requests, nowUs)) return true;
    this.#metrics.accessLimited.inc({ limit: "requestsPerSecondMax" });
    return false;
  }

  #isOver(
    limit: "connectionsMax" | "subscriptionsMax",
    limits: PrincipalLimits,
    count: number,
  ): boolean {
    const most = limits[limit];
    if (most === undefined || count < most) return false;
    this.#metrics.accessLimited.inc({ limit });
    return true;
  }

  #of(id: string): Account {
    let account = this.#accounts.get(id);
    if (account === undefined) {
      if (this.#accounts.size >= IDLE_MAX) this.#forgetIdle();
      account = { connections: 0, subscriptions: 0, requests: undefined };
      this.#accounts.set(id, account);
    }
    return account;
  }

  /** Makes room: at most as many are kept as hold something, besides those that came last. */
  #forgetIdle(): void {
    let examined = 0;
    for (const [id, { connections, subscriptions }] of this.#accounts) {
      examined += 1;
      if (connections + subscriptions === 0) {
        this.#accounts.delete(id);
        return;
      }
      if (examined >= 100) return;
    }
  }
}
