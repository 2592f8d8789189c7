import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { createSharedAccounts, SharedAccounts } from "#core/shared-accounts.ts";
import { createAccessMetrics } from "../access/access-metrics.ts";
import { somebody } from "#test/support/principals.ts";
import { PrincipalAccounts } from "./principal-accounts.ts";

const LIMITS = { connectionsMax: 4, subscriptionsMax: 6, requestsPerSecondMax: 10 };
const WHO = somebody(["*:*/*"], { limits: LIMITS });

function twoThreads() {
  const memory = createSharedAccounts({ accountsMax: 100, threads: 2, seed: 3 });
  const clock = { ns: 1_000_000_000_000n };
  const accounts = [0, 1].map((thread) => {
    const shared = { accounts: new SharedAccounts(memory, thread), nowNs: () => clock.ns };
    return new PrincipalAccounts(createAccessMetrics(new Registry()), shared);
  });
  return { accounts: accounts as [PrincipalAccounts, PrincipalAccounts], clock };
}

describe("what a principal has on two threads", () => {
  test("connections and subscriptions are limited over both", () => {
    const { accounts } = twoThreads();
    const [one, two] = accounts;
    for (let taken = 0; taken < 4; taken += 1) {
      expect(accounts[taken % 2]!.takeConnection(WHO)).toBe(true);
    }
    expect([one.takeConnection(WHO), two.takeConnection(WHO)]).toEqual([false, false]);
    one.giveConnection(WHO);
    expect([two.takeConnection(WHO), one.takeConnection(WHO)]).toEqual([true, false]);
    for (let taken = 0; taken < 6; taken += 1) {
      expect(accounts[taken % 2]!.takeSubscription(WHO)).toBe(true);
    }
    expect([one.takeSubscription(WHO), two.takeSubscription(WHO)]).toEqual([false, false]);
    two.giveSubscription(WHO);
    expect(one.takeSubscription(WHO)).toBe(true);
  });

  test("requests are limited over both, and come back at the rate", () => {
    const { accounts, clock } = twoThreads();
    const [one, two] = accounts;
    expect(one.takeRequests(WHO, 5, 0)).toBe(true);
    expect(two.takeRequests(WHO, 6, 0)).toBe(false);
    expect(two.takeRequests(WHO, 5, 0)).toBe(true);
    clock.ns += 99_999_999n;
    expect(one.takeRequests(WHO, 1, 0)).toBe(false);
    clock.ns += 1n;
    expect(one.takeRequests(WHO, 1, 0)).toBe(true);
  });
});
