import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { QueryGate, VenueGates } from "./query-gate.ts";

test("runs as many as allowed at once, the others in order as places free up", async () => {
  const gate = new QueryGate(2);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((index) =>
    gate.run(() => {
      started.push(index);
      return new Promise<number>((resolve) => {
        finish[index] = () => resolve(index);
      });
    }),
  );
  await nextTurn();
  expect(started).toEqual([0, 1]);
  finish[1]?.();
  await nextTurn();
  expect(started).toEqual([0, 1, 2]);
  finish[0]?.();
  await nextTurn();
  finish[2]?.();
  finish[3]?.();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  expect(gate.inFlight).toBe(0);
});

test("a request that fails gives its place back", async () => {
  const gate = new QueryGate(1);
  const failed = gate.run(() => Promise.reject(new Error("no")));
  const next = gate.run(() => Promise.resolve("yes"));
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("yes");
});

test("says how many wait: none at the limit, one above it, none when that one had its turn", async () => {
  const heard: number[] = [];
  const gate = new QueryGate(1, (waiting) => heard.push(waiting));
  let finish: () => void = () => {};
  const first = gate.run(() => new Promise<void>((resolve) => (finish = resolve)));
  expect(heard).toEqual([]);
  const second = gate.run(() => Promise.resolve());
  expect(heard).toEqual([1]);
  await nextTurn();
  finish();
  await Promise.all([first, second]);
  expect(heard).toEqual([1, 0]);
});

test("a venue that does not answer holds up no other, and all that wait are counted", async () => {
  const waiting: number[] = [];
  const gates = new VenueGates(1, (count) => waiting.push(count));
  let release: () => void = () => {};
  const hung = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = [gates.of("dead").run(() => hung), gates.of("dead").run(() => Promise.resolve())];
  await expect(gates.of("live").run(() => Promise.resolve("a snapshot"))).resolves.toBe(
    "a snapshot",
  );
  expect([gates.of("dead").inFlight, waiting]).toEqual([1, [1]]);
  release();
  await Promise.all(asked);
  expect(waiting).toEqual([1, 0]);
});
