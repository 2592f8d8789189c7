import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { cutThread } from "./thread-cut.ts";

/** What a thread may be held up in, which says before that it begins. */
const HELD_UP = {
  "a loop": "for (;;);",
  "a wait": "Atomics.wait(word, 1, 0);",
  "a regular expression": '/^(a+)+$/.test("a".repeat(60) + "b");',
};

async function held(by: keyof typeof HELD_UP, onExit: string) {
  const word = new Int32Array(new SharedArrayBuffer(8));
  const program = `
    const word = require("node:worker_threads").workerData;
    process.once("exit", () => { ${onExit} });
    setTimeout(() => {
      require("node:worker_threads").parentPort.postMessage("begins");
      ${HELD_UP[by]}
    });`;
  const worker = new Worker(program, { eval: true, execArgv: [], workerData: word });
  await once(worker, "message");
  return { word, worker };
}

test.each(Object.keys(HELD_UP) as (keyof typeof HELD_UP)[])(
  "a thread that is held up in %s is ended, when it has let go of what it has",
  async (by) => {
    const { word, worker } = await held(by, "Atomics.store(word, 0, 7);");
    const exit = once(worker, "exit");
    await cutThread(worker);
    expect(await exit).toEqual([1]);
    expect(Atomics.load(word, 0)).toBe(7);
  },
);

test("one that cannot let go of what it has is not ended, and goes on where it was", async () => {
  const { word, worker } = await held(
    "a wait",
    'Atomics.store(word, 0, 7); throw new Error("no");',
  );
  let hasExited = false;
  const exit = once(worker, "exit").then(() => (hasExited = true));
  await cutThread(worker);
  await expect.poll(() => Atomics.load(word, 0), { timeout: 30_000 }).toBe(7);
  expect(hasExited).toBe(false);
  // What it waits for comes, so that it ends by itself.
  Atomics.store(word, 1, 1);
  Atomics.notify(word, 1);
  expect(await exit).toBe(true);
});
