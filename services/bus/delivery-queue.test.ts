import { describe, expect, test } from "vitest";
import type { BusMessage } from "./bus.ts";
import { DeliveryQueue, DeliveryTarget } from "./delivery-queue.ts";

function message(name: string, bytes = 0): BusMessage {
  return { subject: name, payload: new Uint8Array(bytes), respond: () => undefined };
}

/** A queue whose turns the test runs by hand. */
function create(
  options: {
    onHandlerError?: (error: unknown, subject: string) => void;
    monotonicUs?: () => number;
    pendingBytesMax?: number;
  } = {},
) {
  const turns: (() => void)[] = [];
  const reports: string[] = [];
  const queue = new DeliveryQueue({
    schedule: (run) => turns.push(run),
    monotonicUs: () => 0,
    onHandlerError: undefined,
    ...options,
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

  test.each([
    [1.26, [16, 16, 8]],
    [1.25, [32, 8]],
    [0.63, [32, 8]],
    [0.62, [40]],
  ])("a turn ends after 20 ms, with messages of %d ms each", (eachMs, expected) => {
    let nowUs = 0;
    const { queue, turns, turn } = create({ monotonicUs: () => nowUs });
    let seen = 0;
    const receiver = target(() => {
      nowUs += eachMs * 1_000;
      seen += 1;
    }, 100);
    for (let index = 0; index < 40; index++) queue.push(receiver, message("m"));
    const counts: number[] = [];
    while (turns.length > 0) {
      const before = seen;
      turn();
      counts.push(seen - before);
    }
    expect(counts).toEqual(expected);
  });

  describe("with more than may wait for all", () => {
    const bytesMax = 100_000;
    const payload = 1_000 - 256;

    test.each([
      [99, 0],
      [100, 0],
      [101, 1],
      [140, 40],
    ])("%d messages lose %d", (count, lost) => {
      const { queue, reports, turns, turn } = create({ pendingBytesMax: bytesMax });
      let seen = 0;
      const receiver = target(() => (seen += 1), 1_000);
      for (let index = 0; index < count; index++) queue.push(receiver, message("m", payload));
      while (turns.length > 0) turn();
      expect(seen).toBe(count - lost);
      expect(reports).toEqual(lost === 0 ? [] : [`p ${lost}`]);
      // What was delivered makes room.
      queue.push(receiver, message("m", payload));
      turn();
      expect(seen).toBe(count - lost + 1);
    });

    test("who has few pending loses none for who has many", () => {
      const { queue, turns, turn } = create({ pendingBytesMax: bytesMax });
      const seen = { busy: 0, quiet: 0 };
      const busy = target(() => (seen.busy += 1), 1_000);
      const quiet = target(() => (seen.quiet += 1), 1_000);
      for (let index = 0; index < 150; index++) queue.push(busy, message("m", payload));
      for (let index = 0; index < 17; index++) queue.push(quiet, message("m", payload));
      expect([busy.dropped, quiet.dropped]).toEqual([50, 1]);
      while (turns.length > 0) turn();
      expect(seen).toEqual({ busy: 100, quiet: 16 });
    });

    test("who lost one loses all until most of what waits is delivered, however few it has", () => {
      let nowUs = 0;
      const { queue, reports, turn } = create({
        pendingBytesMax: bytesMax,
        monotonicUs: () => nowUs,
      });
      const many = Array.from({ length: 10 }, () => target(() => (nowUs += 1_260), 1_000));
      const pushAll = (count: number): void => {
        for (let index = 0; index < count; index++) {
          for (const one of many) queue.push(one, message("m", payload));
        }
      };
      pushAll(17);
      expect(many.map(({ pending, dropped }) => [pending, dropped])).toEqual(
        many.map(() => [16, 1]),
      );
      for (let turns = 0; queue.isDropping; turns++) {
        expect(turns).toBeLessThan(20);
        turn();
        if (queue.isDropping) pushAll(1);
      }
      // One hole each: nothing came in between.
      expect(queue.length).toBeLessThanOrEqual(25);
      expect(reports).toHaveLength(10);
      expect(queue.dropped).toBe(reports.reduce((sum, text) => sum + Number(text.slice(2)), 0));
    });

    test.each([
      [199, 0],
      [200, 0],
      [201, 1],
    ])("%d messages of whoever has few lose %d: twice as much is the end", (count, lost) => {
      const { queue } = create({ pendingBytesMax: bytesMax });
      for (let index = 0; index < count; index++) {
        queue.push(
          target(() => undefined, 1_000),
          message("m", payload),
        );
      }
      expect([queue.length, queue.dropped]).toEqual([count - lost, lost]);
    });

    test("drops until a quarter of it waits, so that there are few holes", () => {
      let nowUs = 0;
      const { queue, reports, turn } = create({
        pendingBytesMax: bytesMax,
        monotonicUs: () => nowUs,
      });
      const receiver = target(() => (nowUs += 1_260), 1_000);
      for (let index = 0; index < 130; index++) queue.push(receiver, message("m", payload));
      const pending: number[] = [];
      for (let before = 0; before < receiver.dropped; turn()) {
        expect(queue.isDropping).toBe(true);
        before = receiver.dropped;
        queue.push(receiver, message("m", payload));
        pending.push(receiver.pending);
      }
      expect(pending).toEqual([100, 84, 68, 52, 36]);
      expect(reports).toEqual(["p 35"]);
      expect([queue.isDropping, receiver.dropped]).toEqual([false, 0]);
    });

    test("what is forgotten makes room", () => {
      const { queue, turn } = create({ pendingBytesMax: bytesMax });
      const receiver = target(() => undefined, 1_000);
      for (let index = 0; index < 100; index++) queue.push(receiver, message("m", payload));
      queue.clear();
      receiver.pending = 0;
      for (let index = 0; index < 100; index++) queue.push(receiver, message("m", payload));
      expect(receiver.dropped).toBe(0);
      turn();
    });
  });
});
