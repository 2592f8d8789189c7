import { describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ViewClock } from "./view-clock.ts";
import type { DueView } from "./view-clock.ts";

/** A clock that begins at a whole second, and views that say when they are due. */
function create(costUs = 0) {
  const clock = new ManualClock(1_000_000_000);
  const turns: (() => void)[] = [];
  const due: string[] = [];
  const busy = {
    nowUs: () => clock.nowUs(),
    monotonicUs: () => clock.monotonicUs() + spentUs,
    after: (delayMs: number, callback: () => void) => clock.after(delayMs, callback),
  };
  let spentUs = 0;
  const scheduler = { endOfTurn: (callback: () => void) => void turns.push(callback) };
  const views = new ViewClock({ clock: busy, scheduler });
  const view = (name: string): DueView => ({
    onDue: (intervalMs) => {
      spentUs += costUs;
      due.push(`${name} ${intervalMs} at ${(clock.nowUs() - 1_000_000_000) / 1_000}`);
    },
  });
  return { clock, views, view, due, turns };
}

describe("a view that is marked", () => {
  test("is due once, at the next multiple of its interval", () => {
    const { clock, views, view, due } = create();
    clock.advance(30);
    const one = view("one");
    views.mark(one, 100);
    views.mark(one, 100);
    clock.advance(69);
    expect(due).toEqual([]);
    clock.advance(1);
    expect(due).toEqual(["one 100 at 100"]);
    clock.advance(1_000);
    expect(due.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test("is due together with those of other intervals, and one timer does for all", () => {
    const { clock, views, view, due } = create();
    for (const [name, intervalMs] of [
      ["a", 50],
      ["b", 100],
      ["c", 250],
      ["d", 10_000],
    ] as const) {
      views.mark(view(name), intervalMs);
    }
    expect(clock.pending).toBe(1);
    clock.advance(250);
    expect(due).toEqual(["a 50 at 50", "b 100 at 100", "c 250 at 250"]);
    clock.advance(9_750);
    expect(due.at(-1)).toBe("d 10000 at 10000");
  });

  test("is due sooner where a shorter interval is marked later", () => {
    const { clock, views, view, due } = create();
    views.mark(view("slow"), 1_000);
    clock.advance(10);
    views.mark(view("quick"), 50);
    expect(clock.pending).toBe(1);
    clock.advance(40);
    expect(due).toEqual(["quick 50 at 50"]);
    clock.advance(950);
    expect(due).toEqual(["quick 50 at 50", "slow 1000 at 1000"]);
  });

  test("may mark itself again while it is sent", () => {
    const { clock, views, due } = create();
    const again: DueView = {
      onDue: (intervalMs) => {
        due.push(String(clock.nowUs()));
        if (due.length < 3) views.mark(again, intervalMs);
      },
    };
    views.mark(again, 50);
    clock.advance(1_000);
    expect(due).toEqual(["1000050000", "1000100000", "1000150000"]);
  });
});

describe("views that take long", () => {
  test("are sent for 2 ms of a turn, and the rest in the turns after it", () => {
    const { clock, views, view, due, turns } = create(1_000);
    for (const name of ["a", "b", "c", "d", "e"]) views.mark(view(name), 50);
    clock.advance(50);
    expect(due.length).toBe(2);
    turns.shift()?.();
    expect(due.length).toBe(4);
    turns.shift()?.();
    expect(due.length).toBe(5);
    expect(turns).toEqual([]);
  });

  test("that are due again meanwhile are sent behind the others, in the same turns", () => {
    const { clock, views, view, due, turns } = create(2_000);
    views.mark(view("a"), 50);
    views.mark(view("b"), 50);
    clock.advance(50);
    views.mark(view("c"), 50);
    clock.advance(50);
    expect(due).toEqual(["a 50 at 50"]);
    while (turns.length > 0) turns.shift()?.();
    expect(due.map((each) => each[0])).toEqual(["a", "b", "c"]);
  });
});

test("nothing is due after the end", () => {
  const { clock, views, view, due } = create();
  views.mark(view("a"), 50);
  views.close();
  clock.advance(100);
  expect([due, clock.pending]).toEqual([[], 0]);
});
