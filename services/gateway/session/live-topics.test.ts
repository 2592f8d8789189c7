import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeHub } from "#test/support/fake-topics.ts";
import { subscriptionTable } from "#test/support/subscription-table.ts";
import type { TopicView } from "../topics/topic-view.ts";
import { LiveTopics } from "./live-topics.ts";
import { TopicSubscription } from "./topic-subscription.ts";

const table = subscriptionTable();
const hub = new FakeHub();

/** Counts subscriptions as the metric does. */
function create() {
  let counted = 0;
  const subscriptions = {
    inc: () => void (counted += 1),
    dec: (by = 1) => void (counted -= by),
  };
  const live = new LiveTopics({ metrics: { subscriptions } as never, table });
  return { live, counted: () => counted };
}

function subscriptionOf(topic: string, onEnd = (): void => {}): TopicSubscription {
  const view = hub.view(`fake:${topic}/trades`);
  view.holds += 1;
  return new TopicSubscription(
    { table, hub, lanes: undefined as never, payBack: onEnd },
    {
      view: view as unknown as TopicView,
      options: { snapshot: true, resume: undefined },
      pattern: undefined,
    },
  );
}

const serialOf = ({ serial }: TopicSubscription): number => serial;

test.each([1, 15, 16, 17, 18, 40])("of %i topics each is found, and ends once", (count) => {
  const { live, counted } = create();
  let ended = 0;
  const all = Array.from({ length: count }, (_, index) =>
    subscriptionOf(`t${index}`, () => (ended += 1)),
  );
  for (const each of all) live.add(each);
  expect([live.size, counted()]).toEqual([count, count]);
  expect([...live.all()].map(serialOf)).toEqual(all.map(serialOf));
  for (const each of all) expect(live.get(each.view.topic)?.serial).toBe(each.serial);
  expect(live.has("another")).toBe(false);
  const work = live.endAll({ isOver: true });
  while (work.next().done !== true);
  expect([live.size, counted(), ended]).toEqual([0, 0, count]);
});

test("topics that end while all are walked through leave the others in the walk", () => {
  for (const count of [5, 30]) {
    const { live } = create();
    for (let index = 0; index < count; index += 1) live.add(subscriptionOf(`t${index}`));
    const seen: string[] = [];
    for (const each of live.all()) {
      seen.push(each.view.topic);
      live.end(each);
    }
    expect([seen.length, live.size]).toEqual([count, 0]);
  }
});

test.each([5, 30])("of %i that are being ended none is found, whoever has their rows", (count) => {
  const { live } = create();
  const all = Array.from({ length: count }, (_, index) => subscriptionOf(`t${index}`));
  for (const each of all) live.add(each);
  const line = { isOver: false };
  const work = live.endAll(line);
  line.isOver = true;
  const others: TopicSubscription[] = [];
  do {
    expect([live.size, [...live.all()], live.get("fake:t1/trades")]).toEqual([0, [], undefined]);
    others.push(subscriptionOf("other"));
  } while (work.next().done !== true);
  const rows = others.map(({ row }) => row);
  expect(all.filter(({ row }) => rows.includes(row)).length).toBeGreaterThan(count / 2);
  expect(all.map(({ state }) => state)).toEqual(all.map(() => "ended"));
  expect(others.map(({ view }) => view.topic)).toEqual(others.map(() => "fake:other/trades"));
  for (const each of others) each.end();
});

test("whatever comes and goes, what is live is what came and did not go", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ topic: fc.nat(24), comes: fc.boolean() }), { maxLength: 150 }),
      (steps) => {
        const { live, counted } = create();
        const expected = new Map<string, TopicSubscription>();
        for (const { topic: number, comes } of steps) {
          const topic = `fake:t${number}/trades`;
          const there = expected.get(topic);
          if (comes && there === undefined) {
            const subscription = subscriptionOf(`t${number}`);
            expected.set(topic, subscription);
            live.add(subscription);
          } else if (!comes && there !== undefined) {
            expected.delete(topic);
            live.end(there);
          }
          expect([live.size, counted()]).toEqual([expected.size, expected.size]);
          expect(live.get(topic)?.serial).toBe(expected.get(topic)?.serial);
        }
        const serials = [...live.all()].map(serialOf);
        expect(new Set(serials)).toEqual(new Set([...expected.values()].map(serialOf)));
      },
    ),
  );
});
