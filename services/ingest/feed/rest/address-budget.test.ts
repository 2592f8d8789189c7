import { describe, expect, test } from "vitest";
import { createFakeAdapter } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { AddressLimits, FeedLimits } from "../feed-adapter.ts";
import { FEED_POLICY_DEFAULTS } from "../feed-policy.ts";
import { AddressBudget, AddressBudgets } from "./address-budget.ts";

const SECOND = { count: 3, intervalMs: 1_000 };

function budgetOf(address: AddressLimits, policy = FEED_POLICY_DEFAULTS) {
  const clock = new ManualClock();
  const { limits } = createFakeAdapter({ limits: { address } });
  return { clock, budget: new AddressBudget({ limits, clock, policy }) };
}

describe("connections of one address", () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
  ])("%i of them: %i are open where 2 are allowed", (wanted, opened) => {
    const { connections } = budgetOf({ connectionsMax: 2 }).budget;
    let open = 0;
    for (let each = 0; each < wanted; each += 1) {
      connections.submit(() => {
        connections.opened();
        open += 1;
      });
    }
    expect(open).toBe(opened);
  });

  test("wait for one that ends, in their order, and are not opened twice", () => {
    const { connections } = budgetOf({ connectionsMax: 1 }).budget;
    const opened: string[] = [];
    for (const name of ["a", "b", "c"]) {
      connections.submit(() => {
        connections.opened();
        opened.push(name);
      });
    }
    expect(opened).toEqual(["a"]);
    connections.closed();
    expect(opened).toEqual(["a", "b"]);
    connections.closed();
    expect(opened).toEqual(["a", "b", "c"]);
  });

  test("one that is not wanted any more when its turn comes leaves it to the next", () => {
    const { connections } = budgetOf({ connectionsMax: 1 }).budget;
    const opened: string[] = [];
    connections.submit(() => connections.opened());
    connections.submit(() => opened.push("gave up"));
    connections.submit(() => {
      connections.opened();
      opened.push("opened");
    });
    connections.closed();
    expect(opened).toEqual(["gave up", "opened"]);
  });

  test.each([
    [1, true],
    [2, true],
    [3, false],
  ])("number %i that waits, where 2 may: %s", (number, accepted) => {
    const policy = { ...FEED_POLICY_DEFAULTS, connectsWaitingMax: 2 };
    const { connections } = budgetOf({ connectionsMax: 1 }, policy).budget;
    connections.submit(() => connections.opened());
    for (let each = 1; each < number; each += 1) connections.submit(() => {});
    expect(connections.submit(() => {})).toBe(accepted);
  });
});

test.each([
  [2, 2],
  [3, 3],
  [4, 3],
])("of %i frames on all connections together %i leave in the first second", (sent, left) => {
  const { clock, budget } = budgetOf({ outgoingFrames: SECOND });
  let count = 0;
  for (let each = 0; each < sent; each += 1) budget.frames?.submit(1, () => (count += 1));
  clock.advance(999);
  expect(count).toBe(left);
  clock.advance(1);
  expect(count).toBe(sent);
});

test.each([
  [9, 9],
  [10, 10],
  [11, 10],
])("of %i subscriptions %i are taken where 10 are allowed", (wanted, taken) => {
  const { budget } = budgetOf({ subscriptionsMax: 10 });
  expect(budget.takeSubscriptions(wanted)).toBe(taken);
  expect(budget.takeSubscriptions(5)).toBe(Math.min(5, 10 - taken));
});

describe("two of our venues", () => {
  const venueAt = (webSocket: string, limits: Partial<FeedLimits> = {}) => {
    const adapter = createFakeAdapter({ limits });
    return [adapter, { ...adapter.endpoints, webSocket }] as const;
  };
  const budgets = () => {
    const clock = new ManualClock();
    return { clock, of: new AddressBudgets({ clock, policy: FEED_POLICY_DEFAULTS }) };
  };

  test("at one host spend from one budget, and at two hosts from two", () => {
    const { of } = budgets();
    const first = of.of(...venueAt("wss://a.example/v1"));
    expect(of.of(...venueAt("wss://a.example/v2"))).toBe(first);
    expect(of.of(...venueAt("wss://b.example/v1"))).not.toBe(first);
  });

  test("at two hosts that the venue counts as one spend from one budget", () => {
    const { of } = budgets();
    const address = { name: "shared" };
    const first = of.of(...venueAt("wss://a.example", { address }));
    expect(of.of(...venueAt("wss://b.example", { address }))).toBe(first);
  });

  test("with limits of their own keep to the tighter ones", () => {
    const { clock, of } = budgets();
    const loose = { count: 10, intervalMs: 1_000 };
    const { rest } = of.of(...venueAt("wss://a.example", { restWeight: loose }));
    of.of(...venueAt("wss://a.example", { restWeight: SECOND }));
    of.of(...venueAt("wss://a.example", { restWeight: loose }));
    let asked = 0;
    for (let each = 0; each < 10; each += 1) rest.submit(1, () => (asked += 1));
    clock.advance(999);
    expect(asked).toBe(3);
  });
});
