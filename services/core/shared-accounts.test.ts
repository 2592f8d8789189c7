import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSharedAccounts, SharedAccounts } from "./shared-accounts.ts";

const RATE = { perSecond: 100, burstSeconds: 2 };
const SECOND_NS = 1_000_000_000n;

function threadsOf(count: number, accountsMax = 100): SharedAccounts[] {
  const memory = createSharedAccounts({ accountsMax, threads: count, seed: 12_345 });
  return Array.from({ length: count }, (_, thread) => new SharedAccounts(memory, thread));
}

describe("accounts that threads share", () => {
  test.each([
    [9, true],
    [10, true],
    [11, false],
  ])("of a limit of 10 that both count, number %i is granted: %s", (number, granted) => {
    const [one, two] = threadsOf(2) as [SharedAccounts, SharedAccounts];
    const mine = one.hold("192.0.2.1");
    const yours = two.hold("192.0.2.1");
    expect(mine).toBe(yours);
    for (let taken = 1; taken < number; taken += 1) {
      expect((taken % 2 === 0 ? one : two).take(mine, 0, 1, 10)).toBe(true);
    }
    expect(one.take(mine, 0, 1, 10)).toBe(granted);
    expect(one.count(mine, 0)).toBe(granted ? number : 10);
    expect(two.count(yours, 1)).toBe(0);
  });

  test("what is refused is not counted, and what is given back can be taken again", () => {
    const [one, two] = threadsOf(2) as [SharedAccounts, SharedAccounts];
    const { all } = one;
    expect(one.take(all, 1, 7, 10)).toBe(true);
    expect(two.take(all, 1, 4, 10)).toBe(false);
    expect(two.take(all, 1, 3, 10)).toBe(true);
    one.give(all, 1, 7);
    expect(two.take(all, 1, 7, 10)).toBe(true);
    expect(one.count(all, 1)).toBe(10);
  });

  test("a name that nobody holds makes room, and comes back with nothing", () => {
    const [one] = threadsOf(1) as [SharedAccounts];
    const account = one.hold("a");
    one.take(account, 0, 3, 10);
    one.give(account, 0, 3);
    one.release(account);
    for (let name = 0; name < 10_000; name += 1) {
      const other = one.hold(`name ${name}`);
      expect(other).toBeGreaterThanOrEqual(0);
      expect(one.count(other, 0)).toBe(0);
      one.release(other);
    }
  });

  test("where all places are held there is no room, and nobody loses any", () => {
    const [one] = threadsOf(1, 64) as [SharedAccounts];
    const held: number[] = [];
    for (let name = 0; name < 1_000; name += 1) {
      const account = one.hold(`name ${name}`);
      if (account >= 0) held.push(account);
    }
    expect(held.length).toBeGreaterThanOrEqual(64);
    expect(held.length).toBeLessThanOrEqual(128);
    expect(new Set(held).size).toBe(held.length);
  });

  test("a bucket is one for all threads, bursts pass, and it fills at its rate", () => {
    const [one, two] = threadsOf(2) as [SharedAccounts, SharedAccounts];
    const account = one.hold("a");
    const nowNs = 50n * SECOND_NS;
    for (let asked = 0; asked < 100; asked += 1) {
      expect(one.ask(account, 1, RATE, nowNs)).toBe(true);
      expect(two.ask(account, 1, RATE, nowNs)).toBe(true);
    }
    expect(one.ask(account, 1, RATE, nowNs)).toBe(false);
    expect(two.isFull(account, nowNs + SECOND_NS)).toBe(false);
    expect(two.ask(account, 100, RATE, nowNs + SECOND_NS)).toBe(true);
    expect(one.ask(account, 1, RATE, nowNs + SECOND_NS)).toBe(false);
    expect(two.isFull(account, nowNs + 4n * SECOND_NS)).toBe(true);
  });

  test("what a dead thread held is given back, and nothing of the others", () => {
    const [one, two] = threadsOf(2) as [SharedAccounts, SharedAccounts];
    const account = one.hold("a");
    two.hold("a");
    const alone = two.hold("b");
    one.take(account, 0, 2, 10);
    two.take(account, 0, 5, 10);
    two.take(alone, 1, 4, 10);
    two.take(two.all, 0, 5, 10);
    one.reclaim(1);
    expect([one.count(account, 0), one.count(alone, 1), one.count(one.all, 0)]).toEqual([2, 0, 0]);
    expect(one.take(account, 0, 8, 10)).toBe(true);
    expect(one.hold("b")).toBe(alone);
  });

  test("whatever threads do, counts are those of a plain map", () => {
    const step = fc.record({
      thread: fc.nat(2),
      name: fc.constantFrom("a", "b", "c", "::1", "2001:db8::/64"),
      amount: fc.integer({ min: 1, max: 4 }),
      gives: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const threads = threadsOf(3);
        const model = new Map<string, number>();
        const answers: { granted: boolean; fits: boolean }[] = [];
        for (const { thread, name, amount, gives } of steps) {
          const accounts = threads[thread]!;
          const key = `${thread} ${name}`;
          const account = accounts.hold(name);
          const before = model.get(key) ?? 0;
          if (gives && before >= amount) {
            accounts.give(account, 0, amount);
            model.set(key, before - amount);
          } else {
            const sum = [0, 1, 2].reduce((all, one) => all + (model.get(`${one} ${name}`) ?? 0), 0);
            const granted = accounts.take(account, 0, amount, 8);
            answers.push({ granted, fits: sum + amount <= 8 });
            if (granted) model.set(key, before + amount);
          }
        }
        expect(answers.every(({ granted, fits }) => granted === fits)).toBe(true);
      }),
    );
  });
});
