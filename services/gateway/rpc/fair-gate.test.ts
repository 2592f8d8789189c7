import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { FairGate } from "./fair-gate.ts";

const NEVER = new AbortController().signal;

let gate: FairGate;
/** Questions that were asked, in order. */
let asked: string[];
let answers: Map<string, () => void>;

beforeEach(() => {
  gate = new FairGate({ inFlightMax: 2, waitingMax: 4 });
  asked = [];
  answers = new Map();
});

function ask(client: object, name: string, signal: AbortSignal = NEVER): Promise<string> {
  return gate.run(client, signal, () => {
    asked.push(name);
    return new Promise((resolve) => answers.set(name, () => resolve(`${name} answered`)));
  });
}

async function answer(name: string): Promise<void> {
  answers.get(name)?.();
  await nextTurn();
}

test("as many as are allowed are under way at once, and the next when one was answered", async () => {
  const one = {};
  const all = ["a", "b", "c"].map((name) => ask(one, name));
  expect([asked, gate.waiting, gate.isIdle]).toEqual([["a", "b"], 1, false]);
  await answer("a");
  expect(asked).toEqual(["a", "b", "c"]);
  for (const name of ["b", "c"]) await answer(name);
  expect(await Promise.all(all)).toEqual(["a answered", "b answered", "c answered"]);
  expect([gate.waiting, gate.isIdle]).toEqual([0, true]);
});

test("who asks for much waits behind who asks for little", async () => {
  const [greedy, modest] = [{}, {}];
  for (const name of ["g1", "g2", "g3", "g4", "g5"]) void ask(greedy, name);
  void ask(modest, "m1");
  for (const name of ["g1", "g2", "g3"]) await answer(name);
  expect(asked).toEqual(["g1", "g2", "g3", "m1", "g4"]);
});

/** So many wait, where 4 may. */
function crowd(count: number): Promise<string>[] {
  for (const name of ["a", "b"]) void ask({}, name);
  return Array.from({ length: count }, (_, index) => ask({}, `w${index}`));
}

test.each([3, 4])("%d may wait where 4 may", (count) => {
  const waiting = crowd(count);
  expect(gate.waiting).toBe(waiting.length);
});

test("the fifth that wants to wait where 4 may is refused, and told when to come back", async () => {
  await expect(crowd(5).at(-1)).rejects.toMatchObject({
    code: "resource_exhausted",
    detail: { reason: "OVERLOADED", retryAfterMs: 1_000 },
  });
  expect(gate.waiting).toBe(4);
});

test("a call that is over while it waits is not asked, and makes room", async () => {
  const over = new AbortController();
  for (const name of ["a", "b"]) void ask({}, name);
  void ask({}, "gone", over.signal);
  void ask({}, "c");
  over.abort();
  expect(gate.waiting).toBe(1);
  await answer("a");
  expect(asked).toEqual(["a", "b", "c"]);
});

test("a question that fails gives its place away as well", async () => {
  const failing = gate.run({}, NEVER, () => Promise.reject(new Error("no answer")));
  await expect(failing).rejects.toThrow("no answer");
  expect(gate.isIdle).toBe(true);
});
