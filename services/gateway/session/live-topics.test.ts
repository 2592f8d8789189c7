import fc from "fast-check";
import { expect, test } from "vitest";
import { LiveTopics } from "./live-topics.ts";
import type { TopicSubscription } from "./topic-subscription.ts";

/** Counts subscriptions as the metric does. */
function create() {
  let counted = 0;
  const subscriptions = {
    inc: () => void (counted += 1),
    dec: (by = 1) => void (counted -= by),
  };
  return { live: new LiveTopics({ subscriptions } as never), counted: () => counted };
}

function subscriptionOf(topic: string, onEnd = (): void => {}): TopicSubscription {
  return { view: { topic }, end: onEnd } as unknown as TopicSubscription;
}

test.each([1, 15, 16, 17, 18, 40])("of %i topics each is found, and ends once", (count) => {
  const { live, counted } = create();
  let ended = 0;
  const all = Array.from({ length: count }, (_, index) =>
    subscriptionOf(`t${index}`, () => (ended += 1)),
  );
  for (const each of all) live.add(each);
  expect([live.size, counted()]).toEqual([count, count]);
  expect([...live.all()]).toEqual(all);
  for (const each of all) expect(live.get(each.view.topic)).toBe(each);
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

test("whatever comes and goes, what is live is what came and did not go", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ topic: fc.nat(24), comes: fc.boolean() }), { maxLength: 150 }),
      (steps) => {
        const { live, counted } = create();
        const expected = new Map<string, TopicSubscription>();
        for (const { topic: number, comes } of steps) {
          const topic = `t${number}`;
          const there = expected.get(topic);
          if (comes && there === undefined) {
            const subscription = subscriptionOf(topic);
            expected.set(topic, subscription);
            live.add(subscription);
          } else if (!comes && there !== undefined) {
            expected.delete(topic);
            live.end(there);
          }
          expect([live.size, counted()]).toEqual([expected.size, expected.size]);
          expect(live.get(topic)).toBe(expected.get(topic));
        }
        expect(new Set(live.all())).toEqual(new Set(expected.values()));
      },
    ),
  );
});
