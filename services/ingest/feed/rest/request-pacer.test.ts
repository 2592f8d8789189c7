import { describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createPrng } from "#test/support/prng.ts";
import { RequestPacer } from "./request-pacer.ts";

function pacer(count: number, intervalMs: number, waitingMax = 100) {
  const clock = new ManualClock();
  const runs: number[] = [];
  const made = new RequestPacer({ limit: { count, intervalMs }, clock, waitingMax });
  const submit = (weight = 1): boolean => made.submit(weight, () => runs.push(clock.nowUs()));
  return { clock, runs, pacer: made, submit };
}

test("lets out the limit at once, and the next when the first is an interval old", () => {
  const { clock, runs, submit } = pacer(3, 1000);
  for (let index = 0; index < 4; index += 1) submit();
  expect(runs).toHaveLength(3);
  clock.advance(999.999);
  expect(runs).toHaveLength(3);
  clock.advance(0.001);
  expect(runs).toHaveLength(4);
});

test("never lets out more than the limit in any interval, whatever comes when", () => {
  const prng = createPrng(7);
  const { clock, pacer: made } = pacer(10, 1000, 10_000);
  const runs: { readonly atUs: number; readonly weight: number }[] = [];
  for (let index = 0; index < 500; index += 1) {
    const weight = 1 + prng.below(4);
    made.submit(weight, () => runs.push({ atUs: clock.nowUs(), weight }));
    clock.advance(prng.below(200));
  }
  clock.advance(1_000_000);
  expect(runs).toHaveLength(500);
  for (const [index, first] of runs.entries()) {
    let spent = 0;
    for (const later of runs.slice(index)) {
      if (later.atUs >= first.atUs + 1_000_000) break;
      spent += later.weight;
    }
    expect(spent).toBeLessThanOrEqual(10);
  }
});

test("runs in the order of submission even if a lighter request would fit", () => {
  const { clock, pacer: made } = pacer(10, 1000);
  const order: string[] = [];
  made.submit(8, () => order.push("first"));
  made.submit(5, () => order.push("heavy"));
  made.submit(1, () => order.push("light"));
  expect(order).toEqual(["first"]);
  clock.advance(1000);
  expect(order).toEqual(["first", "heavy", "light"]);
});

test("a request heavier than the whole limit goes out alone", () => {
  const { clock, runs, submit } = pacer(5, 1000);
  submit(50);
  submit(1);
  expect(runs).toHaveLength(1);
  clock.advance(1000);
  expect(runs).toHaveLength(2);
});

test("refuses one more than may wait", () => {
  const { submit } = pacer(1, 1000, 2);
  expect([submit(), submit(), submit(), submit()]).toEqual([true, true, true, false]);
});

test("a pause holds everything back until its end, and a shorter one does not end it", () => {
  const { clock, runs, pacer: made, submit } = pacer(5, 1000);
  made.pauseUntil(clock.nowUs() + 5_000_000);
  made.pauseUntil(clock.nowUs() + 1_000_000);
  submit();
  clock.advance(4_999);
  expect(runs).toHaveLength(0);
  clock.advance(1);
  expect(runs).toHaveLength(1);
});

test("closing forgets what waits, leaves no timer and refuses the rest", () => {
  const { clock, runs, pacer: made, submit } = pacer(1, 1000);
  submit();
  submit();
  made.close();
  made.close();
  expect(submit()).toBe(false);
  clock.advance(10_000);
  expect(runs).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test("background requests wait for all others, and leave half of the limit free", () => {
  const { clock, pacer: made } = pacer(10, 1000);
  const order: string[] = [];
  made.submit(6, () => order.push("normal"));
  made.submit(5, () => order.push("background"), "background");
  expect(order).toEqual(["normal"]);
  made.submit(4, () => order.push("urgent"));
  expect(order).toEqual(["normal", "urgent"]);
  clock.advance(999.999);
  expect(order).toHaveLength(2);
  clock.advance(0.001);
  expect(order).toEqual(["normal", "urgent", "background"]);
});

test.each([
  { weight: 4, allowed: 1 },
  { weight: 5, allowed: 1 },
  { weight: 6, allowed: 0 },
])(
  "with a quarter of the limit spent, a background request of $weight goes $allowed times",
  (row) => {
    const { pacer: made } = pacer(20, 1000);
    const order: string[] = [];
    made.submit(5, () => {});
    made.submit(row.weight, () => order.push("background"), "background");
    expect(order).toHaveLength(row.allowed);
  },
);

test("too many background requests are refused, and pauses and closing hold for them too", () => {
  const { clock, pacer: made } = pacer(10, 1000, 1);
  const order: string[] = [];
  made.pauseUntil(clock.nowUs() + 5_000_000);
  expect(made.submit(1, () => order.push("background"), "background")).toBe(true);
  expect(made.submit(1, () => order.push("second"), "background")).toBe(false);
  expect(made.submit(1, () => order.push("normal"))).toBe(true);
  clock.advance(4_999);
  expect(order).toEqual([]);
  clock.advance(1);
  expect(order).toEqual(["normal", "background"]);
  made.close();
  expect(made.submit(1, () => {}, "background")).toBe(false);
});

describe("what goes out without waiting", () => {
  test.each([
    { spent: 1, ran: 2 },
    { spent: 2, ran: 1 },
    { spent: 3, ran: 0 },
    { spent: 4, ran: 0 },
  ])("$spent spent of 3 leave room for $ran", ({ spent, ran }) => {
    const clock = new ManualClock();
    const limit = { count: 3, intervalMs: 1000 };
    const pacer = new RequestPacer({ limit, clock, waitingMax: 10 });
    for (let index = 0; index < spent; index += 1) pacer.spend(1);
    let count = 0;
    for (let index = 0; index < 3; index += 1) pacer.submit(1, () => (count += 1));
    expect(count).toBe(ran);
    clock.advance(999);
    expect(count).toBe(ran);
    clock.advance(1);
    expect(count).toBe(3);
  });
});
