import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeHub } from "#test/support/fake-topics.ts";
import { subscriptionTable } from "#test/support/subscription-table.ts";
import type { TopicView } from "../topics/topic-view.ts";
import { TopicSubscription } from "./topic-subscription.ts";
import type { SubscriptionTable } from "./topic-subscription.ts";

const lanes = { seat: undefined, push() {}, pushStart() {}, pushMessage() {} } as never;
const options = { snapshot: true, resume: undefined };

/** A subscription of that topic, of an owner of its own. */
function begin(table: SubscriptionTable, hub: FakeHub, topic: string): TopicSubscription {
  const view = hub.view(topic);
  view.holds += 1;
  const parts = { view: view as unknown as TopicView, options, pattern: undefined };
  return new TopicSubscription({ table, hub, lanes }, parts);
}

test("a row that another has got says nothing of it to who knew it before", () => {
  const [table, hub] = [subscriptionTable(), new FakeHub()];
  const gone = begin(table, hub, "fake:A-USDT/trades");
  const sameRow = table.at(gone.row);
  gone.start();
  hub.view("fake:A-USDT/trades").publish();
  expect([sameRow.state, sameRow.sequence, sameRow.place]).toEqual(["live", 1, 0]);
  gone.end();
  const next = begin(table, hub, "fake:B-USDT/trades");
  next.start();
  hub.view("fake:B-USDT/trades").publish();
  hub.view("fake:B-USDT/trades").publish();
  expect(next.row).toBe(gone.row);
  for (const old of [gone, sameRow]) {
    expect([old.state, old.sequence, old.place]).toEqual(["ended", 0, -1]);
    expect(old.view.topic).toBe("fake:A-USDT/trades");
    expect(() => old.end()).toThrow("a subscription ends once");
    expect(() => old.unlisted(7)).toThrow("has ended");
    expect(() => (old.place = 3)).toThrow("has ended");
    expect(() => old.takeBytes()).toThrow("has ended");
  }
  expect([next.state, next.sequence, next.place]).toEqual(["live", 2, 0]);
  expect(table.at(next.row).view.topic).toBe("fake:B-USDT/trades");
});

test("there is room for as many as there may be, and for one more when one has gone", () => {
  const hub = new FakeHub();
  const table = subscriptionTable(3);
  const all = ["A", "B"].map((name) => begin(table, hub, `fake:${name}-USDT/trades`));
  expect(table.hasRoom).toBe(true);
  all.push(begin(table, hub, "fake:C-USDT/trades"));
  expect(table.hasRoom).toBe(false);
  expect(() => begin(table, hub, "fake:D-USDT/trades")).toThrow("there are at most 3 rows");
  all[1]?.end();
  expect([table.hasRoom, table.used]).toEqual([true, 2]);
  expect(begin(table, hub, "fake:E-USDT/trades").row).toBe(all[1]?.row);
});

test("what is known of one that has checksums is one object, and of others a new one", () => {
  const [table, hub] = [subscriptionTable(), new FakeHub()];
  const view = hub.view("fake:A-USDT/book");
  view.holds += 2;
  const [checked, plain] = [true, false].map((checksum) => {
    const parts = { view: view as unknown as TopicView, options: { ...options, checksum } };
    return new TopicSubscription({ table, hub, lanes }, { ...parts, pattern: undefined });
  });
  for (const each of [checked, plain]) each?.start();
  expect(table.at(checked?.row ?? -1)).toBe(checked);
  expect(table.at(plain?.row ?? -1)).not.toBe(plain);
});

test("rows that come and go by the thousand are never two subscriptions' at once", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(1_500)), { maxLength: 12 });
  fc.assert(
    fc.property(steps, (given) => {
      let room = 0;
      const count = { inc: (by: number) => (room += by), dec: (by: number) => (room -= by) };
      const table = subscriptionTable(5_000, count);
      const hub = new FakeHub();
      const here = new Map<number, TopicSubscription>();
      const gone: TopicSubscription[] = [];
      /** Rows that two have had at once. */
      const taken: number[] = [];
      for (const [comes, many] of given) {
        for (let one = 0; one < many; one += 1) {
          if (comes && table.hasRoom) {
            const next = begin(table, hub, `fake:T${one % 7}-USDT/trades`);
            if (here.has(next.row)) taken.push(next.row);
            here.set(next.row, next);
          }
          const [row] = here.keys();
          if (comes || row === undefined) continue;
          gone.push(here.get(row) as TopicSubscription);
          here.delete(row);
          gone.at(-1)?.end();
        }
      }
      expect([table.used, taken]).toEqual([here.size, []]);
      // Pages have 1,024 rows; one is kept for who comes next.
      expect(room).toBeGreaterThanOrEqual(here.size);
      expect(room % 1_024).toBe(0);
      for (const [row, { serial }] of here) expect(table.at(row).serial).toBe(serial);
      expect(gone.filter(({ state }) => state !== "ended")).toEqual([]);
      for (const each of here.values()) each.end();
      expect([table.used, room]).toEqual([0, room === 0 ? 0 : 1_024]);
    }),
    { numRuns: 30 },
  );
});
