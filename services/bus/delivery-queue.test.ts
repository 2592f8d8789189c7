import { describe, expect, test } from "vitest";
import type { BusMessage } from "./bus.ts";
import { DeliveryQueue, DeliveryTarget } from "./delivery-queue.ts";

function message(name: string): BusMessage {
  return { subject: name, payload: new Uint8Array(0), respond: () => undefined };
}

/** A queue whose turns the test runs by hand. */
function create(options: { onHandlerError?: (error: unknown, subject: string) => void } = {}) {
  const turns: (() => void)[] = [];
  const reports: string[] = [];
  const queue = new DeliveryQueue({
    schedule: (run) => turns.push(run),
    onHandlerError: options.onHandlerError,
    onSlowConsumer: (pattern, dropped) => reports.push(`${pattern} ${dropped}`),
  });
  return { queue, turns, reports, turn: () => turns.shift()?.() };
}

function target(handler: (message: BusMessage) => void, pendingMax: number = 10): DeliveryTarget {
  return new DeliveryTarget({ pattern: "p", handler, pendingMax, remove() {} });
}

describe("DeliveryQueue", () => {
  test("a turn delivers what was waiting when it began, the rest in the next", () => {
    const { queue, turns, turn } = create();
    const seen: string[] = [];
    const receiver = target(({ subject }) => {
      seen.push(subject);
      if (seen.length <= 2) queue.push(receiver, message(`${subject} again`));
    });
    queue.push(receiver, message("a"));
    queue.push(receiver, message("b"));
    expect([seen.length, turns.length]).toEqual([0, 1]);
    turn();
    expect([seen, turns.length]).toEqual([["a", "b"], 1]);
    turn();
    expect([seen, turns.length]).toEqual([["a", "b", "a again", "b again"], 0]);
    expect(queue.length).toBe(0);
  });

  test("reports an episode when half of what was pending is worked off", () => {
    const { queue, reports, turn } = create();
    const receiver = target(() => undefined, 4);
    for (let index = 0; index < 7; index++) queue.push(receiver, message("m"));
    expect(reports).toEqual([]);
    turn();
    expect(reports).toEqual(["p 3"]);
    queue.push(receiver, message("m"));
    turn();
    expect(reports).toEqual(["p 3"]);
  });

  test("an episode without end is reported as often as it fills the queue anew", () => {
    const { queue, reports, turn } = create();
    const receiver: DeliveryTarget = target(() => {
      // Two come for each one that goes.
      queue.push(receiver, message("m"));
      queue.push(receiver, message("m"));
    }, 4);
    for (let index = 0; index < 4; index++) queue.push(receiver, message("m"));
    for (let index = 0; index < 3; index++) turn();
    expect(receiver.pending).toBe(4);
    expect(reports).toEqual(["p 4", "p 4", "p 4"]);
  });

  test("whoever waits is told when what was there before has been delivered, or forgotten", async () => {
    const { queue, turn } = create();
    const receiver = target(() => undefined);
    await queue.whenDelivered();
    const told: string[] = [];
    queue.push(receiver, message("a"));
    const first = queue.whenDelivered().then(() => told.push("first"));
    turn();
    await first;
    queue.push(receiver, message("b"));
    const second = queue.whenDelivered().then(() => told.push("second"));
    queue.clear();
    await second;
    expect(told).toEqual(["first", "second"]);
  });

  test("a handler may forget everything that still waits", () => {
    const { queue, turns, turn } = create();
    let seen = 0;
    const receiver = target(() => {
      seen++;
      queue.clear();
    });
    for (let index = 0; index < 3; index++) queue.push(receiver, message("m"));
    turn();
    expect([seen, queue.length, turns.length]).toEqual([1, 0, 0]);
  });

  test("what a handler throws goes to the listener, with the subject", () => {
    const errors: unknown[] = [];
    const { queue, turn } = create({
      onHandlerError: (error, subject) => errors.push([error, subject]),
    });
    queue.push(
      target(() => {
        throw new Error("no");
      }),
      message("s"),
    );
    turn();
    expect(errors).toEqual([[new Error("no"), "s"]]);
  });
});
