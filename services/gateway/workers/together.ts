import { createSharedAccounts, SharedAccounts } from "#core/shared-accounts.ts";
import type { GatewayConfig } from "../config.ts";
import type { TogetherMemory } from "./worker-messages.ts";

/** Addresses are remembered until they could ask for everything again, which takes seconds. */
const REMEMBERED_SECONDS = 4;
/** Addresses, or principals, that the accounts have room for in any case, and at most. */
const ACCOUNTS_MIN = 16_384;
const ACCOUNTS_MAX = 524_288;

/** What all workers count together, for the limits that hold over all of them. */
export class Together {
  readonly memory: TogetherMemory;
  readonly #accounts: readonly SharedAccounts[];

  /** `random` is in [0, 1). */
  constructor(config: GatewayConfig, random: () => number) {
    const { workers: threads, connectionsMax, httpRequestsPerSecondMax, pollSessionsMax } = config;
    const accountsFor = (count: number) => {
      const accountsMax = Math.min(ACCOUNTS_MAX, Math.max(ACCOUNTS_MIN, count));
      return createSharedAccounts({ accountsMax, threads, seed: Math.floor(random() * 2 ** 32) });
    };
    this.memory = {
      addresses: accountsFor(connectionsMax + httpRequestsPerSecondMax * REMEMBERED_SECONDS),
      principals: accountsFor(connectionsMax),
      polls: accountsFor(pollSessionsMax),
    };
    const { addresses, principals, polls } = this.memory;
    // What is reclaimed does not depend on who reclaims it.
    this.#accounts = [addresses, principals, polls].map((memory) => new SharedAccounts(memory, 0));
  }

  /** Gives back what a worker held whose thread has ended. */
  reclaim(worker: number): void {
    for (const accounts of this.#accounts) accounts.reclaim(worker);
  }
}
