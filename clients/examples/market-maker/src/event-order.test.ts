import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventOrder, type Arrival } from "./event-order.ts";

function orderOf(holdUs = 1_000) {
  const taken: string[] = [];
  const take = ({ topic, timeUs, value }: Arrival<string>): void => {
    taken.push(`${timeUs}/${topic}${value}`);
  };
  const order = new EventOrder({ topics: 2, holdUs, take });
  const add = (topic: number, timeUs: number, value = ""): void => {
    order.add({ topic, timeUs, value });
  };
  return { order, taken, add };
}

describe("events of two topics", () => {
  test("wait until both have come as far", () => {
    const { taken, add } = orderOf();
    add(0, 10);
    add(0, 20);
    expect(taken).toEqual([]);
    add(1, 15);
    expect(taken).toEqual(["10/0"]);
    add(1, 30);
    expect(taken).toEqual(["10/0", "15/1", "20/0"].slice(0, 2));
    add(0, 31);
    expect(taken).toEqual(["10/0", "15/1", "20/0"]);
  });

  test.each([
    [999, []],
    [1_000, ["0/0"]],
    [1_001, ["0/0"]],
  ])("wait for a topic on which nothing happens until %i us later", (laterUs, expected) => {
    const { taken, add } = orderOf();
    add(0, 0);
    add(0, laterUs);
    expect(taken).toEqual(expected);
  });

  test("keep the order of their topic at one time, and that of the topics", () => {
    const { order, taken, add } = orderOf();
    add(1, 10, "a");
    add(0, 10, "b");
    add(1, 10, "c");
    add(0, 10, "d");
    order.end();
    expect(taken).toEqual(["10/0b", "10/0d", "10/1a", "10/1c"]);
  });

  test("are counted when they come too late", () => {
    const { order, taken, add } = orderOf();
    add(0, 0);
    add(0, 5_000);
    add(1, 1_000);
    add(0, 7_000);
    add(1, 500);
    expect(order.late).toBe(1);
    expect(taken).toContain("500/1");
  });

  test("have one order, however they were interleaved", () => {
    const times = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 30 });
    fc.assert(
      fc.property(times, times, fc.infiniteStream(fc.boolean()), (first, second, choices) => {
        const queues = [first, second].map((each) => each.toSorted((a, b) => a - b));
        const [sorted, shuffled] = [orderOf(), orderOf()];
        for (const [topic, queue] of queues.entries()) {
          for (const timeUs of queue) sorted.add(topic, timeUs);
        }
        sorted.order.end();
        const lengths = queues.map(({ length }) => length);
        const next = [0, 0];
        while (next.some((index, topic) => index < (lengths[topic] ?? 0))) {
          const wanted = choices.next().value ? 0 : 1;
          const isThere = (next[wanted] ?? 0) < (lengths[wanted] ?? 0);
          const topic = isThere ? wanted : 1 - wanted;
          const index = next[topic] ?? 0;
          shuffled.add(topic, queues[topic]?.[index] ?? 0);
          next[topic] = index + 1;
        }
        shuffled.order.end();
        expect(shuffled.taken).toEqual(sorted.taken);
        expect(shuffled.order.late).toBe(0);
      }),
      { numRuns: 100, seed: 3 },
    );
  });
});
