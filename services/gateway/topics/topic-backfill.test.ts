import { expect, test } from "vitest";
import { TopicBackfill } from "./topic-backfill.ts";

function create(keptAfter: number) {
  const asked: number[] = [];
  const fetched: (() => void)[] = [];
  const stand = { keptAfter };
  const backfill = new TopicBackfill({
    isSettled: ({ epoch, sequence }) => epoch !== 1 || sequence >= stand.keptAfter,
    fetch: ({ sequence }) => {
      asked.push(sequence);
      return new Promise((resolve) => fetched.push(resolve));
    },
  });
  const done: number[] = [];
  const reach = (sequence: number, epoch = 1) => {
    backfill.reach({ epoch, sequence }, () => done.push(sequence));
  };
  /** Ends the fetch that runs; with a number, what follows it is here from now on. */
  const end = async (reached?: number): Promise<void> => {
    if (reached !== undefined) stand.keptAfter = reached;
    fetched.shift()?.();
    await new Promise(setImmediate);
  };
  return { backfill, asked, done, reach, end };
}

test("a position that is here, or never will be, is answered at once", () => {
  const { asked, done, reach } = create(5);
  reach(5);
  reach(1, 2);
  expect([asked, done]).toEqual([[], [5, 1]]);
});

test("one fetch runs at a time, and what it brings serves all that it reaches", async () => {
  const { backfill, asked, done, reach, end } = create(50);
  for (const sequence of [30, 20, 40]) reach(sequence);
  expect([asked, backfill.size]).toEqual([[30], 3]);
  await end(30);
  expect(done).toEqual([30, 40]);
  expect(asked).toEqual([30, 20]);
  await end(20);
  expect([done, backfill.size]).toEqual([[30, 40, 20], 0]);
});

test("a position that is not kept is tried once, and the next oldest after it", async () => {
  const { asked, done, reach, end } = create(50);
  for (const sequence of [10, 30, 10]) reach(sequence);
  await end();
  expect([done, asked]).toEqual([
    [10, 10],
    [10, 30],
  ]);
  await end(30);
  expect(done).toEqual([10, 10, 30]);
  reach(10);
  expect(asked).toEqual([10, 30, 10]);
});
