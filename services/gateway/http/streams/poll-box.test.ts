import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { PollBox } from "./poll-box.ts";

/** A box whose answers are the texts that were written, and a session that hears of it. */
function boxOf(options: { readonly answerBytesMax?: number; readonly lingerMs?: number } = {}) {
  const clock = new ManualClock();
  const turns: (() => void)[] = [];
  const heard: string[] = [];
  const box = new PollBox({
    clock,
    scheduler: { endOfTurn: (callback) => void turns.push(callback) },
    listener: { onDrain: () => heard.push("drain"), onGone: () => heard.push("gone") },
    answerBytesMax: options.answerBytesMax ?? 100,
    lingerMs: options.lingerMs ?? 1_000,
    seal: (chunks, number) => Buffer.from(`${number}:${chunks.map(String).join("")}`),
    onOver: () => heard.push("over"),
  });
  const endTurn = (): void => {
    for (const callback of turns.splice(0)) callback();
  };
  const write = (text: string) => box.write(Buffer.from(text));
  const poll = async (number: number, waitMs = 500) => {
    const answer = await box.poll(number, waitMs);
    return answer === undefined
      ? undefined
      : `${answer.kind} ${Buffer.from(answer.body).toString()}`;
  };
  return { box, clock, heard, endTurn, write, poll };
}

test("what is written in one turn comes in one answer", async () => {
  const { write, poll, endTurn } = boxOf();
  const asked = poll(0);
  write("a");
  write("b");
  endTurn();
  expect(await asked).toBe("news 1:ab");
});

test("an answer is given again until the client polls past it", async () => {
  const { write, poll, endTurn } = boxOf();
  write("a");
  const first = poll(0);
  endTurn();
  expect(await first).toBe("news 1:a");
  write("b");
  expect(await poll(0)).toBe("repeated 1:a");
  const second = poll(1);
  endTurn();
  expect(await second).toBe("news 2:b");
  expect(await poll(0)).toBeUndefined();
});

test.each([
  ["just below its time", 499, false],
  ["at its time", 500, true],
])("a poll without news %s", async (_, passedMs, isAnswered) => {
  const { clock, poll } = boxOf();
  let answered = false;
  const asked = poll(0).then((answer) => {
    answered = true;
    return answer;
  });
  clock.advance(passedMs);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(answered).toBe(isAnswered);
  clock.advance(1);
  expect(await asked).toBe("nothing 0:");
});

test("a second poll answers the first with nothing, and gets the news", async () => {
  const { write, poll, endTurn } = boxOf();
  const first = poll(0);
  const second = poll(0);
  expect(await first).toBe("nothing 0:");
  write("a");
  endTurn();
  expect(await second).toBe("news 1:a");
});

test.each([
  ["below", 99, "sent"],
  ["at", 100, "buffered"],
  ["above", 101, "buffered"],
])("a producer %s the size of an answer is told %s bytes are %s", (_, bytes, result) => {
  const { write } = boxOf({ answerBytesMax: 100 });
  expect(write("x".repeat(bytes))).toBe(result);
});

test("a producer that waits hears of room when an answer has left", async () => {
  const { box, write, poll, endTurn, heard } = boxOf({ answerBytesMax: 1 });
  write("a");
  const asked = poll(0);
  endTurn();
  await asked;
  expect(heard).toEqual(["drain"]);
  expect(box.bufferedBytes()).toBe(3);
});

test("what was written counts as delivered when the client polls past it", async () => {
  const { box, write, poll, endTurn } = boxOf();
  let delivered = 0;
  write("a");
  box.whenDelivered(() => (delivered += 1));
  const first = poll(0);
  endTurn();
  await first;
  expect(delivered).toBe(0);
  void poll(1);
  expect(delivered).toBe(1);
});

test.each([
  ["just below", 999, []],
  ["at", 1_000, ["over", "gone"]],
])("nobody polls for %s the time that a session lingers", (_, passedMs, expected) => {
  const { clock, heard } = boxOf({ lingerMs: 1_000 });
  clock.advance(passedMs);
  expect(heard).toEqual(expected);
});

test("a poll that waits keeps the session, however long", () => {
  const { clock, heard, poll } = boxOf({ lingerMs: 100 });
  void poll(0, 10_000);
  clock.advance(9_999);
  expect(heard).toEqual([]);
});

test("what was written before the end is polled, and then the box is over", async () => {
  const { box, write, poll, endTurn, heard } = boxOf();
  write("a");
  box.end();
  expect(write("late")).toBe("dropped");
  const asked = poll(0);
  endTurn();
  expect(await asked).toBe("news 1:a");
  expect(await poll(0)).toBe("repeated 1:a");
  const last = poll(1);
  endTurn();
  expect(await last).toBe("nothing 1:");
  expect(heard).toContain("over");
  expect(await poll(1)).toBeUndefined();
});

test("a client that polls again whatever was lost gets every text once, in order", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), text: fc.stringMatching(/^[a-z]{1,3}$/) }),
    fc.record({ kind: fc.constant("poll" as const), isLost: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { box, write, endTurn } = boxOf({ answerBytesMax: 5 });
      let written = "";
      let received = "";
      let number = 0;
      const ask = async (isLost: boolean): Promise<void> => {
        const asked = box.poll(number, 1);
        endTurn();
        if (box.bufferedBytes() === 0 || asked === undefined) return;
        const answer = await asked;
        if (isLost) return;
        received += Buffer.from(answer.body).toString().split(":")[1] ?? "";
        number = answer.number;
      };
      for (const next of steps) {
        if (next.kind === "write") {
          written += next.text;
          write(next.text);
        } else await ask(next.isLost);
      }
      for (let turn = 0; turn < 3; turn += 1) await ask(false);
      expect(received).toBe(written);
    }),
  );
});
