import { expect, test } from "vitest";
import { ManualClock } from "../../../../../test/support/manual-clock.ts";
import { WebhookSender, type DeadLetter, type Outcome, type SenderLimits } from "./sender.ts";

const FAILED: Outcome = { kind: "failed", reason: "status 500" };
const DELIVERED: Outcome = { kind: "delivered" };

function createRig(outcomes: readonly Outcome[], changes: Partial<SenderLimits> = {}) {
  const clock = new ManualClock();
  const startUs = clock.nowUs();
  const attempts: string[] = [];
  const buried: DeadLetter[] = [];
  const rest = [...outcomes];
  const sender = new WebhookSender({
    post: ({ id }) => {
      attempts.push(`${id} at ${(clock.nowUs() - startUs) / 1_000}`);
      return Promise.resolve(rest.shift() ?? DELIVERED);
    },
    bury: (letter) => buried.push(letter),
    log: () => undefined,
    nowMs: () => clock.nowUs() / 1_000,
    after: (delayMs, callback) => clock.after(delayMs, callback),
    random: () => 0.5,
    limits: {
      messagesMax: 10,
      inFlightMax: 4,
      attemptsMax: 4,
      backoffMs: 1_000,
      backoffMsMax: 3_000,
      ...changes,
    },
  });
  /** Lets what was answered be heard, and the time pass. */
  const pass = async (milliseconds: number): Promise<void> => {
    for (let done = 0; done < milliseconds; done += 250) {
      await new Promise(setImmediate);
      clock.advance(250);
    }
    await new Promise(setImmediate);
  };
  return { sender, attempts, buried, pass, clock };
}

test("a message is tried again after waits that double up to their limit, then buried", async () => {
  const { sender, attempts, buried, pass } = createRig([FAILED, FAILED, FAILED, FAILED]);
  sender.send({ id: "a", body: "{}" });
  await pass(10_000);
  // Half of 1,000, 2,000 and 3,000, and half of the other half.
  expect(attempts).toEqual(["a at 0", "a at 750", "a at 2250", "a at 4500"]);
  const letter = { id: "a", body: "{}", attempts: 4, reason: "status 500; status 500" };
  expect(buried).toEqual([letter]);
});

test("a receiver that asks for quiet gets it, for all messages", async () => {
  const { sender, attempts, pass } = createRig([{ ...FAILED, retryAfterMs: 5_000 }]);
  sender.send({ id: "a", body: "{}" });
  await pass(1_000);
  sender.send({ id: "b", body: "{}" });
  await pass(5_000);
  expect(attempts).toEqual(["a at 0", "b at 5000", "a at 5000"].toSorted());
  expect(sender.delivered).toBe(2);
});

test("no more messages than the limit are held; what is beyond is buried at once", () => {
  const { sender, buried } = createRig([], { messagesMax: 2 });
  for (const id of ["a", "b", "c"]) sender.send({ id, body: "{}" });
  expect(buried).toEqual([{ id: "c", body: "{}", attempts: 0, reason: "2 messages are waiting" }]);
});

test("no more than so many are on their way at a time", async () => {
  const { sender, attempts, pass } = createRig([], { inFlightMax: 2 });
  for (const id of ["a", "b", "c"]) sender.send({ id, body: "{}" });
  expect(attempts).toEqual(["a at 0", "b at 0"]);
  await pass(0);
  expect(attempts).toEqual(["a at 0", "b at 0", "c at 0"]);
  await sender.whenIdle();
  expect(sender.delivered).toBe(3);
});

test("nothing is sent to a receiver that is gone", async () => {
  const { sender, attempts, buried, pass } = createRig([{ kind: "gone", reason: "status 410" }]);
  sender.send({ id: "a", body: "{}" });
  await pass(0);
  sender.send({ id: "b", body: "{}" });
  await sender.whenIdle();
  expect(attempts).toEqual(["a at 0"]);
  expect(buried.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("what waits at the end is buried, and no timer is left", async () => {
  const { sender, buried, pass, clock } = createRig([FAILED]);
  sender.send({ id: "a", body: "{}" });
  await pass(0);
  expect(clock.pending).toBe(1);
  await sender.close();
  expect(buried).toMatchObject([{ id: "a", attempts: 1 }]);
  expect(clock.pending).toBe(0);
});
