import type { Principal } from "../access/principal.ts";
import type { PrincipalLimits } from "../access/rights.ts";
import type { AccessMetrics } from "../access/access-metrics.ts";
import type { SharedAccounts } from "#core/shared-accounts.ts";
import { TokenBucket } from "./rate-limits.ts";

/** Principals that are remembered; above, those that hold nothing are forgotten. */
const IDLE_MAX = 10_000;

/** What the accounts count that threads share. */
const CONNECTIONS = 0;
const SUBSCRIPTIONS = 1;
const COUNT_MAX = 2 ** 30;
/** A bucket holds what comes within this time. */
const BURST_SECONDS = 1;

/** Accounts that the threads of a gateway share, and a clock that is the same for all of them. */
type SharedPrincipals = { readonly accounts: SharedAccounts; readonly nowNs: () => bigint };

/** What one principal holds of this gateway, whatever carries it. */
type Account = {
  /** Of the accounts that threads share; -1 without them, or if they have no room for it. */
  readonly shared: number;
  connections: number;
  subscriptions: number;
  /** Made when somebody with a limit asks for the first time. */
  requests: { readonly perSecond: number; readonly bucket: TokenBucket } | undefined;
};

/**
 * What each principal holds and asks for of this gateway, over all of its connections and requests,
 * for the limits that its roles set. Each gateway counts for itself, its threads together; a
 * principal for whom they have no room in their accounts gets nothing that a role limits.
 */
export class PrincipalAccounts {
  readonly #metrics: Pick<AccessMetrics, "accessLimited">;
  readonly #accounts = new Map<string, Account>();
  readonly #shared: SharedPrincipals | undefined;

  constructor(metrics: Pick<AccessMetrics, "accessLimited">, shared?: SharedPrincipals) {
    this.#metrics = metrics;
    this.#shared = shared;
  }

  /** Principals that are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Counts a connection. False if he has as many as he may have; then nothing is counted. */
  takeConnection({ id, limits }: Principal): boolean {
    const account = this.#of(id);
    const held = { field: CONNECTIONS, own: account.connections } as const;
    if (!this.#take("connectionsMax", limits, account, held)) return false;
    account.connections += 1;
    return true;
  }

  /** To be called once for each connection that was counted. */
  giveConnection({ id }: Principal): void {
    const account = this.#of(id);
    account.connections -= 1;
    this.#give(account, CONNECTIONS);
  }

  /** Counts a topic. False if he has as many as he may have; then nothing is counted. */
  takeSubscription({ id, limits }: Principal): boolean {
    const account = this.#of(id);
    const held = { field: SUBSCRIPTIONS, own: account.subscriptions } as const;
    if (!this.#take("subscriptionsMax", limits, account, held)) return false;
    account.subscriptions += 1;
    return true;
  }

  /** To be called once for each topic that was counted. */
  giveSubscription({ id }: Principal): void {
    const account = this.#of(id);
    account.subscriptions -= 1;
    this.#give(account, SUBSCRIPTIONS);
  }

  /** Whether he may ask for so much more now. What is granted is used up. */
  takeRequests({ id, limits }: Principal, requests: number, nowUs: number): boolean {
    const perSecond = limits.requestsPerSecondMax;
    if (perSecond === undefined) return true;
    const account = this.#of(id);
    if (this.#shared !== undefined) {
      const { accounts, nowNs } = this.#shared;
      const rate = { perSecond, burstSeconds: BURST_SECONDS };
      if (account.shared >= 0 && accounts.ask(account.shared, requests, rate, nowNs())) return true;
      this.#metrics.accessLimited.inc({ limit: "requestsPerSecondMax" });
      return false;
    }
    if (account.requests?.perSecond !== perSecond) {
      account.requests = { perSecond, bucket: new TokenBucket(perSecond, nowUs) };
    }
    if (account.requests.bucket.take(requests, nowUs)) return true;
    this.#metrics.accessLimited.inc({ limit: "requestsPerSecondMax" });
    return false;
  }

  /** Counts one more. False if there are as many as may be. */
  #take(
    limit: "connectionsMax" | "subscriptionsMax",
    limits: PrincipalLimits,
    account: Account,
    { field, own }: { readonly field: 0 | 1; readonly own: number },
  ): boolean {
    const most = limits[limit];
    if (this.#isGranted(account, field, own, most)) return true;
    this.#metrics.accessLimited.inc({ limit });
    return false;
  }

  #isGranted(account: Account, field: 0 | 1, own: number, most: number | undefined): boolean {
    if (this.#shared === undefined) return most === undefined || own < most;
    if (account.shared < 0) return most === undefined;
    // Counted without a limit as well: a role may get one while it is held.
    return this.#shared.accounts.take(account.shared, field, 1, most ?? COUNT_MAX);
  }

  #give({ shared }: Account, field: 0 | 1): void {
    if (shared >= 0) this.#shared?.accounts.give(shared, field, 1);
  }

  #of(id: string): Account {
    let account = this.#accounts.get(id);
    if (account === undefined) {
      if (this.#accounts.size >= IDLE_MAX) this.#forgetIdle();
      const shared = this.#shared?.accounts.hold(id) ?? -1;
      account = { shared, connections: 0, subscriptions: 0, requests: undefined };
      this.#accounts.set(id, account);
    }
    return account;
  }

  /** Makes room: at most as many are kept as hold something, besides those that came last. */
  #forgetIdle(): void {
    let examined = 0;
    for (const [id, { shared, connections, subscriptions }] of this.#accounts) {
      examined += 1;
      if (connections + subscriptions === 0) {
        if (shared >= 0) this.#shared?.accounts.release(shared);
        this.#accounts.delete(id);
        return;
      }
      if (examined >= 100) return;
    }
  }
}
