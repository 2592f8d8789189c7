import { beforeEach, expect, test } from "vitest";
import { oneStep, Turns } from "./turns.ts";
import type { TurnLine, Work } from "./turns.ts";

let nowUs: number;
let turns: Turns;
let ends: (() => void)[];
/** What was done, in order. */
let done: string[];

beforeEach(() => {
  nowUs = 0;
  ends = [];
  done = [];
  const clock = { nowUs: () => nowUs, monotonicUs: () => nowUs, after: () => () => {} };
  turns = new Turns({ clock, scheduler: { endOfTurn: (callback) => void ends.push(callback) } });
});

/** Steps of 50 us each. */
function* work(name: string, steps: number, line: TurnLine): Work {
  for (let step = 1; step <= steps; step += 1) {
    if (line.isOver) yield;
    nowUs += 50;
    done.push(`${name}${step}`);
  }
}

/** The turn of the event loop ends; says how long that took. */
function endTurn(): number {
  const beforeUs = nowUs;
  for (const callback of ends.splice(0)) callback();
  return nowUs - beforeUs;
}

test("short work is done at once, in order", () => {
  const line = turns.open();
  line.add(work("a", 2, line));
  line.add(work("b", 2, line));
  expect(done).toEqual(["a1", "a2", "b1", "b2"]);
  expect(line.waiting).toBe(0);
});

test("long work is begun at once for a slice, and goes on in later turns until it is done", () => {
  const line = turns.open();
  line.add(work("a", 60, line));
  line.add(work("b", 1, line));
  expect(done).toHaveLength(5);
  expect(line.waiting).toBe(2);
  while (line.waiting > 0) expect(endTurn()).toBeLessThanOrEqual(1_000);
  expect(done).toHaveLength(61);
  expect(done.at(-1)).toBe("b1");
});

test("nobody's long work holds up somebody's short work", () => {
  const greedy = turns.open();
  greedy.add(work("greedy", 1_000, greedy));
  endTurn();
  const modest = turns.open();
  modest.add(work("modest", 2, modest));
  expect(done.slice(-2)).toEqual(["modest1", "modest2"]);
});

test("those who wait take turns, a slice each", () => {
  const lines = ["a", "b", "c"].map((name) => {
    const line = turns.open();
    line.add(work(name, 100, line));
    return line;
  });
  done.length = 0;
  endTurn();
  const order = done.map((step) => step[0]).join("");
  expect(order).toBe("aaaaabbbbbcccccaaaaa");
  expect(lines.every(({ waiting }) => waiting === 1)).toBe(true);
});

test("what is begun at once is at most 1 ms of a turn, however many begin", () => {
  for (let index = 0; index < 100; index += 1) {
    const line = turns.open();
    line.add(work("x", 3, line));
  }
  expect(nowUs).toBeLessThanOrEqual(1_000 + 250);
  let turnsTaken = 0;
  while (done.length < 300) {
    expect(endTurn()).toBeLessThanOrEqual(1_000 + 50);
    turnsTaken += 1;
  }
  expect(turnsTaken).toBeGreaterThan(10);
});

test("steps that were put off are done in order, and no turn does more than it has time for", () => {
  const step = (name: string, steps: number): void => void work(name, steps, oneLine).next();
  const oneLine = { isOver: false } as TurnLine;
  for (let index = 0; index < 3_000; index += 1) turns.doLater(step, `${index % 10}-`, 1);
  expect(done).toEqual([]);
  let turnsTaken = 0;
  while (done.length < 3_000) {
    expect(endTurn()).toBeLessThanOrEqual(1_000 + 50);
    turnsTaken += 1;
  }
  expect(turnsTaken).toBe(150);
  expect(done).toEqual(Array.from({ length: 3_000 }, (_, index) => `${index % 10}-1`));
  expect(ends).toHaveLength(0);
});

test("steps that were put off leave those who wait half of the time, and get half of it", () => {
  const line = turns.open();
  line.add(work("line", 1_000, line));
  done.length = 0;
  const step = (): void => {
    nowUs += 50;
    done.push("step");
  };
  for (let index = 0; index < 100; index += 1) turns.doLater(step, undefined, undefined);
  endTurn();
  expect(done.filter((name) => name === "step")).toHaveLength(10);
  expect(done.filter((name) => name !== "step")).toHaveLength(10);
});

test("a step that is put off by one of them is done behind the others", () => {
  const say = (name: string): void => void done.push(name);
  const first = (): void => turns.doLater(say, "last", undefined);
  turns.doLater(first, undefined, undefined);
  turns.doLater(say, "second", undefined);
  endTurn();
  expect(done).toEqual(["second", "last"]);
});

test.each([
  { waiting: 3, isPutOff: true, overflowed: 0 },
  { waiting: 4, isPutOff: false, overflowed: 1 },
  { waiting: 5, isPutOff: false, overflowed: 1 },
])(
  "a step is put off while fewer than 4 wait: with $waiting, $isPutOff",
  ({ waiting, isPutOff, overflowed }) => {
    const counts = { waiting: 0, overflowed: 0 };
    const metrics = {
      stepsWaiting: { set: (count: number) => void (counts.waiting = count) },
      stepsOverflowed: { inc: () => void (counts.overflowed += 1) },
    } as unknown as NonNullable<ConstructorParameters<typeof Turns>[0]["metrics"]>;
    const clock = { nowUs: () => nowUs, monotonicUs: () => nowUs, after: () => () => {} };
    const scheduler = { endOfTurn: (callback: () => void) => void ends.push(callback) };
    turns = new Turns({ clock, scheduler, metrics, stepsWaitingMax: 4 });
    const long = (name: string): void => {
      nowUs += 2_000;
      done.push(name);
    };
    expect(turns.doNow(long, "first", undefined)).toBe(true);
    for (let index = 0; index < waiting; index += 1) turns.doLater(long, "late", undefined);
    expect(turns.stepsWaiting).toBe(waiting);
    expect(turns.doNow(long, "next", undefined)).toBe(!isPutOff);
    expect(done).toEqual(isPutOff ? ["first"] : ["first", "next"]);
    expect(counts.overflowed).toBe(overflowed);
    endTurn();
    expect(counts.waiting).toBe(waiting - 1);
  },
);

test("work that brings more work does it afterwards, and so does that of another line", () => {
  const line = turns.open();
  const other = turns.open();
  const parent = (): void => {
    line.add(work("child", 1, line));
    other.add(work("other", 1, other));
    done.push("parent");
  };
  line.add(oneStep(parent));
  expect(done).toEqual(["parent", "child1"]);
  endTurn();
  expect(done).toEqual(["parent", "child1", "other1"]);
});

test("a result, or an error, comes when the work is done", async () => {
  const line = turns.open();
  function* sum(): Work<number> {
    yield* work("a", 20, line);
    return 7;
  }
  function* failing(): Work<number> {
    yield* work("b", 1, line);
    throw new Error("no");
  }
  const results = Promise.allSettled([line.run(sum()), line.run(failing())]);
  while (line.waiting > 0) endTurn();
  expect(await results).toMatchObject([{ value: 7 }, { reason: { message: "no" } }]);
});

test("work that was given up is not done, and the line goes on", () => {
  const line = turns.open();
  line.add(work("a", 100, line));
  line.add(work("b", 1, line));
  line.clear();
  expect(line.waiting).toBe(0);
  line.add(work("c", 1, line));
  endTurn();
  expect(done.slice(5)).toEqual(["c1"]);
});

test("work may give up its own line", () => {
  const line = turns.open();
  function* closing(): Work {
    line.clear();
    line.add(work("last", 1, line));
    yield;
    done.push("never");
  }
  line.add(closing());
  endTurn();
  expect(done).toEqual(["last1"]);
});
