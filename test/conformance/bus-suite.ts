import { afterEach, describe, expect, test } from "vitest";
import type { Bus, BusError, BusEvent, BusMessage } from "#bus/bus.ts";

/** How the suite gets buses of one kind. */
type BusSuiteOptions = {
  readonly name: string;
  readonly open: (options: {
    /** What handlers throw must end up here. */
    readonly onHandlerError: (error: unknown, subject: string) => void;
    /** Must decide when messages are delivered. */
    readonly schedule: (run: () => void) => void;
  }) => Promise<Bus>;
  /**
   * Resolves when what was published has reached this process's end, even if nothing is delivered.
   */
  readonly arrived: (bus: Bus) => Promise<void>;
};

/** Delivers as soon as possible, except while a test holds everything back. */
class Gate {
  #held: (() => void)[] | undefined;

  readonly schedule = (run: () => void): void => {
    if (this.#held === undefined) setImmediate(run);
    else this.#held.push(run);
  };

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) setImmediate(run);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

function text(payload: Uint8Array): string {
  return decoder.decode(payload);
}

function numbered(index: number): Uint8Array {
  return bytes(String(index));
}

/** Runs synchronously what must throw, and says with which code. */
type BusErrorCode = BusError["code"];

function codeOf(run: () => unknown): BusErrorCode | undefined {
  try {
    run();
  } catch (error) {
    return (error as { code?: BusErrorCode }).code;
  }
  return undefined;
}

async function rejectionOf(promise: Promise<unknown>): Promise<BusErrorCode | undefined> {
  return promise.then(
    () => undefined,
    (error: { code?: BusErrorCode }) => error.code,
  );
}

/** Messages of a subscription, and a promise of the n-th. */
function collect(bus: Bus, pattern: string): Collection {
  const messages: BusMessage[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  const subscription = bus.subscribe(pattern, (message) => {
    messages.push(message);
    for (const waiter of waiters) if (messages.length >= waiter.count) waiter.resolve();
  });
  return {
    messages,
    texts: () => messages.map(({ payload }) => text(payload)),
    until: (count) =>
      messages.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiters.push({ count, resolve })),
    unsubscribe: () => subscription.unsubscribe(),
  };
}

type Collection = {
  readonly messages: readonly BusMessage[];
  texts(): string[];
  until(count: number): Promise<void>;
  unsubscribe(): void;
};

/** A round trip through a handler: everything published before has been delivered by then. */
async function settled(bus: Bus): Promise<void> {
  const subject = `settled.${Math.random().toString(36).slice(2)}`;
  const probe = collect(bus, subject);
  await bus.flush();
  bus.publish(subject, bytes(""));
  await probe.until(1);
  probe.unsubscribe();
}

/** What every bus guarantees, whatever carries the bytes. */
export function describeBus(options: BusSuiteOptions): void {
  describe(`the ${options.name} bus`, () => {
    const gate = new Gate();
    const open: Bus[] = [];
    const handlerErrors: { error: unknown; subject: string }[] = [];

    const create = async (): Promise<Bus> => {
      const bus = await options.open({
        onHandlerError: (error, subject) => handlerErrors.push({ error, subject }),
        schedule: gate.schedule,
      });
      open.push(bus);
      return bus;
    };

    afterEach(async () => {
      await Promise.all(open.splice(0).map((bus) => bus.close()));
      handlerErrors.length = 0;
    });

    describePublishing(create);
    describeGroups(create);
    describeRequests(create);
    describeEnds(create);
    describeSlowness(create, gate, options.arrived);

    test("a handler that throws hurts neither the others nor itself", async () => {
      const bus = await create();
      const before = collect(bus, "a.*");
      const seen: string[] = [];
      bus.subscribe("a.b", ({ payload }) => {
        seen.push(text(payload));
        throw new Error(`no ${text(payload)}`);
      });
      const after = collect(bus, "a.>");
      bus.publish("a.b", bytes("1"));
      bus.publish("a.b", bytes("2"));
      await settled(bus);
      expect([before.texts(), seen, after.texts()]).toEqual([
        ["1", "2"],
        ["1", "2"],
        ["1", "2"],
      ]);
      expect(handlerErrors.map(({ error, subject }) => `${subject}: ${String(error)}`)).toEqual([
        "a.b: Error: no 1",
        "a.b: Error: no 2",
      ]);
    });
  });
}

type Create = () => Promise<Bus>;

function describePublishing(create: Create): void {
  test.each([
    ["md.v2.x", ["md.v2.x"]],
    ["md.*.x", ["md.v2.x"]],
    ["md.v2.*", ["md.v2.x", "md.v2.y"]],
    ["md.>", ["md.v2.x", "md.v2.y", "md.v2.x.z"]],
    [">", ["md.v2.x", "md.v2.y", "md.v2.x.z", "other"]],
    ["*.*.*", ["md.v2.x", "md.v2.y"]],
    ["md.v2.x.>", ["md.v2.x.z"]],
    ["nobody", []],
  ])("%s gets exactly its subjects", async (pattern, expected) => {
    const bus = await create();
    const all = collect(bus, pattern);
    await bus.flush();
    for (const subject of ["md.v2.x", "md.v2.y", "md.v2.x.z", "other"]) {
      bus.publish(subject, bytes(subject));
    }
    bus.publish("end", bytes("end"));
    const end = collect(bus, "settle");
    await bus.flush();
    bus.publish("settle", bytes("settle"));
    await end.until(1);
    const subjects = all.messages.map(({ subject }) => subject);
    expect(subjects.filter((subject) => subject !== "end" && subject !== "settle")).toEqual(
      expected,
    );
    const data = all.messages.slice(0, expected.length);
    expect(data.map(({ payload }) => text(payload))).toEqual(expected);
  });

  test("one subject's messages arrive in order, once, with their bytes", async () => {
    const bus = await create();
    const count = 20_000;
    const all = collect(bus, "order");
    await bus.flush();
    for (let index = 0; index < count; index++) bus.publish("order", numbered(index));
    await all.until(count);
    await settled(bus);
    expect(all.texts()).toEqual(Array.from({ length: count }, (_, index) => String(index)));
  });

  test("payloads of any bytes and lengths up to the limit arrive as they were", async () => {
    const bus = await create();
    const lengths = [0, 1, 255, 65_535, 65_536, 65_537, bus.payloadBytesMax - 1];
    const all = collect(bus, "sizes");
    await bus.flush();
    const payloads = [...lengths, bus.payloadBytesMax].map((length) =>
      Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 255),
    );
    for (const payload of payloads) bus.publish("sizes", payload);
    await all.until(payloads.length);
    const same = all.messages.map(({ payload }, index) =>
      Buffer.from(payload).equals(Buffer.from(payloads[index]!)),
    );
    expect(same).toEqual(payloads.map(() => true));
  });

  test("a payload above the limit is refused with both numbers, and nothing else is", async () => {
    const bus = await create();
    const all = collect(bus, "sizes");
    await bus.flush();
    const large = new Uint8Array(bus.payloadBytesMax + 1);
    expect(codeOf(() => bus.publish("sizes", large))).toBe("payload-too-large");
    expect(() => bus.publish("sizes", large)).toThrow(
      new RegExp(`${large.length}.*${bus.payloadBytesMax}`),
    );
    expect(await rejectionOf(bus.request("sizes", large, { timeoutMs: 1_000 }))).toBe(
      "payload-too-large",
    );
    bus.publish("sizes", bytes("after"));
    await all.until(1);
    expect(all.texts()).toEqual(["after"]);
  });

  test("handlers never run inside publish, not even in a handler that publishes", async () => {
    const bus = await create();
    const log: string[] = [];
    bus.subscribe("first", () => {
      log.push("first in");
      bus.publish("second", bytes(""));
      log.push("first out");
    });
    bus.subscribe("second", () => log.push("second"));
    await bus.flush();
    bus.publish("first", bytes(""));
    log.push("published");
    await settled(bus);
    await settled(bus);
    expect(log).toEqual(["published", "first in", "first out", "second"]);
  });

  test("nothing is delivered after unsubscribe, not even what was on its way", async () => {
    const bus = await create();
    const seen: string[] = [];
    const subscription = bus.subscribe("a", ({ payload }) => {
      seen.push(text(payload));
      subscription.unsubscribe();
      subscription.unsubscribe();
    });
    const other = collect(bus, "a");
    await bus.flush();
    bus.publish("a", bytes("1"));
    bus.publish("a", bytes("2"));
    await other.until(2);
    bus.publish("a", bytes("3"));
    await other.until(3);
    expect(seen).toEqual(["1"]);
  });

  test("kept payloads stay what they were while more arrives", async () => {
    const bus = await create();
    const all = collect(bus, "keep");
    await bus.flush();
    const count = 5_000;
    for (let index = 0; index < count; index++) {
      bus.publish("keep", bytes(`payload number ${index}`.padEnd(100, ".")));
    }
    await all.until(count);
    const kept = all.messages.every(({ payload }, index) =>
      text(payload).startsWith(`payload number ${index}.`),
    );
    expect(kept).toBe(true);
    expect(all.messages.every(({ payload }) => payload.buffer.byteLength <= 1_024)).toBe(true);
  });

  test.each([
    "",
    ".",
    "a..b",
    ".a",
    "a.",
    "a b",
    "a\tb",
    "a\r\nb",
    "a.*",
    "a.>",
    "ä",
    "a".repeat(3_001),
  ])("%j is no subject", async (subject) => {
    const bus = await create();
    expect(codeOf(() => bus.publish(subject, bytes("")))).toBe("invalid-subject");
    expect(await rejectionOf(bus.request(subject, bytes(""), { timeoutMs: 1_000 }))).toBe(
      "invalid-subject",
    );
  });

  test.each(["", "a..b", "a.>.b", "a*", "a.b>", "*a", "a b", ">.a"])(
    "%j is no pattern",
    async (pattern) => {
      const bus = await create();
      expect(codeOf(() => bus.subscribe(pattern, () => undefined))).toBe("invalid-subject");
    },
  );

  test.each([2_999, 3_000])("a subject of %i characters carries", async (length) => {
    const bus = await create();
    const subject = "a".repeat(length);
    const all = collect(bus, subject);
    await bus.flush();
    bus.publish(subject, bytes("x"));
    await all.until(1);
    expect(all.messages[0]?.subject).toBe(subject);
  });
}

function describeGroups(create: Create): void {
  test("members of a queue group share, other subscribers get everything", async () => {
    const bus = await create();
    const count = 300;
    const members: number[] = [0, 0, 0];
    const shared: string[] = [];
    members.forEach((_, member) => {
      const handler = ({ payload }: BusMessage): void => {
        members[member]!++;
        shared.push(text(payload));
      };
      bus.subscribe("work.*", handler, { queueGroup: "workers" });
    });
    const witness = collect(bus, "work.x");
    await bus.flush();
    for (let index = 0; index < count; index++) bus.publish("work.x", numbered(index));
    await witness.until(count);
    await settled(bus);
    const numbers = shared.map(Number).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index));
    expect(members.every((got) => got > 0)).toBe(true);
  });

  test("two groups on one subject both get every message", async () => {
    const bus = await create();
    const seen = { a: 0, b: 0 };
    bus.subscribe("work", () => seen.a++, { queueGroup: "a" });
    bus.subscribe("work", () => seen.b++, { queueGroup: "b" });
    await bus.flush();
    for (let index = 0; index < 10; index++) bus.publish("work", numbered(index));
    await settled(bus);
    expect(seen).toEqual({ a: 10, b: 10 });
  });
}

function describeRequests(create: Create): void {
  test("a request gets the first answer", async () => {
    const bus = await create();
    bus.subscribe("rq.*", (message) => {
      message.respond(bytes(`${message.subject} ${text(message.payload)}`));
      message.respond(bytes("a second answer, which nobody waits for"));
    });
    await bus.flush();
    const answers = await Promise.all(
      ["a", "b", "c"].map((name) =>
        bus.request(`rq.${name}`, bytes(name), { timeoutMs: 5_000 }).then(text),
      ),
    );
    expect(answers).toEqual(["rq.a a", "rq.b b", "rq.c c"]);
  });

  test("an answer may come later, and be large", async () => {
    const bus = await create();
    const waiting: BusMessage[] = [];
    bus.subscribe("rq", (message) => waiting.push(message));
    const large = new Uint8Array(bus.payloadBytesMax).fill(7);
    const probe = collect(bus, "rq");
    await bus.flush();
    const answer = bus.request("rq", bytes(""), { timeoutMs: 10_000 });
    await probe.until(1);
    waiting[0]!.respond(large);
    expect(Buffer.from(await answer).equals(Buffer.from(large))).toBe(true);
  });

  test("says when nobody is there, and when nobody answers", async () => {
    const bus = await create();
    expect(await rejectionOf(bus.request("rq.nobody", bytes(""), { timeoutMs: 5_000 }))).toBe(
      "no-responders",
    );
    bus.subscribe("rq.silent", () => undefined);
    await bus.flush();
    expect(await rejectionOf(bus.request("rq.silent", bytes(""), { timeoutMs: 50 }))).toBe(
      "request-timeout",
    );
  });

  test("an answer is handed out behind everything that was published before it", async () => {
    const bus = await create();
    const count = 2_000;
    const seen: string[] = [];
    bus.subscribe("news", ({ payload }) => seen.push(text(payload)));
    bus.subscribe("rq", (message) => {
      for (let index = 0; index < count; index++) bus.publish("news", numbered(index));
      message.respond(bytes("answer"));
      bus.publish("news", bytes("behind"));
    });
    await bus.flush();
    for (let round = 0; round < 3; round++) {
      seen.length = 0;
      await bus.request("rq", bytes(""), { timeoutMs: 10_000 });
      expect(seen.slice(0, count)).toEqual(Array.from({ length: count }, (_, at) => String(at)));
      await settled(bus);
      expect(seen.slice(count)).toEqual(["behind"]);
    }
  });

  test("responding to what was merely published does nothing", async () => {
    const bus = await create();
    bus.subscribe("news", (message) => message.respond(bytes("thanks")));
    const all = collect(bus, ">");
    await bus.flush();
    bus.publish("news", bytes("x"));
    await settled(bus);
    expect(all.messages.filter(({ payload }) => text(payload) === "thanks")).toEqual([]);
  });
}

function describeEnds(create: Create): void {
  test("draining delivers what is pending, answers too, then closes", async () => {
    const bus = await create();
    const count = 5_000;
    const all = collect(bus, "news");
    bus.subscribe("rq", (message) => message.respond(bytes("still here")));
    await bus.flush();
    const events: BusEvent[] = [];
    bus.onEvent((event) => events.push(event));
    for (let index = 0; index < count; index++) bus.publish("news", numbered(index));
    const answer = bus.request("rq", bytes(""), { timeoutMs: 5_000 });
    const draining = bus.drain();
    expect(codeOf(() => bus.publish("news", bytes("late")))).toBe("bus-closed");
    await Promise.all([draining, bus.drain()]);
    expect(all.texts()).toEqual(Array.from({ length: count }, (_, index) => String(index)));
    expect(text(await answer)).toBe("still here");
    expect(events.map(({ kind }) => kind)).toEqual(["closed"]);
    await bus.drain();
    await bus.close();
  });

  test("a closed bus refuses everything, delivers nothing and says so once", async () => {
    const bus = await create();
    const events: BusEvent[] = [];
    bus.onEvent((event) => events.push(event));
    const all = collect(bus, "news");
    bus.subscribe("rq", () => undefined);
    await bus.flush();
    const pending = rejectionOf(bus.request("rq", bytes(""), { timeoutMs: 60_000 }));
    bus.publish("news", bytes("1"));
    const closing = bus.close();
    expect(codeOf(() => bus.publish("news", bytes("2")))).toBe("bus-closed");
    expect(codeOf(() => bus.subscribe("news", () => undefined))).toBe("bus-closed");
    expect(await rejectionOf(bus.request("rq", bytes(""), { timeoutMs: 100 }))).toBe("bus-closed");
    expect(await rejectionOf(bus.flush())).toBe("bus-closed");
    await closing;
    await bus.close();
    await bus.drain();
    expect(await pending).toBe("bus-closed");
    expect(all.texts()).toEqual([]);
    expect(events.map(({ kind }) => kind)).toEqual(["closed"]);
  });

  test("a removed listener hears nothing", async () => {
    const bus = await create();
    const events: BusEvent[] = [];
    bus.onEvent((event) => events.push(event))();
    await bus.close();
    expect(events).toEqual([]);
  });
}

function describeSlowness(create: Create, gate: Gate, arrived: BusSuiteOptions["arrived"]): void {
  test.each([
    [99, 0],
    [100, 0],
    [101, 1],
    [150, 50],
  ])(
    "of %i messages at once a subscriber that may have 100 pending loses the newest %i",
    async (count, lost) => {
      const bus = await create();
      const events: BusEvent[] = [];
      bus.onEvent((event) => events.push(event));
      const seen: string[] = [];
      bus.subscribe("flood", ({ payload }) => seen.push(text(payload)), {
        pendingMessagesMax: 100,
      });
      const witness = collect(bus, "flood");
      await bus.flush();
      gate.hold();
      for (let index = 0; index < count; index++) bus.publish("flood", numbered(index));
      await arrived(bus);
      gate.release();
      await witness.until(count);
      await settled(bus);
      expect(seen).toEqual(Array.from({ length: count - lost }, (_, index) => String(index)));
      expect(events).toEqual(
        lost === 0 ? [] : [{ kind: "slow-consumer", pattern: "flood", dropped: lost }],
      );
      bus.publish("flood", bytes("after"));
      await witness.until(count + 1);
      await settled(bus);
      expect(seen.at(-1)).toBe("after");
    },
  );

  test("what arrived and what was reported as dropped is everything, over many episodes", async () => {
    const bus = await create();
    let dropped = 0;
    let episodes = 0;
    bus.onEvent((event) => {
      if (event.kind !== "slow-consumer") return;
      dropped += event.dropped;
      episodes++;
    });
    let seen = 0;
    bus.subscribe("flood", () => seen++, { pendingMessagesMax: 10 });
    await bus.flush();
    for (let round = 0; round < 20; round++) {
      gate.hold();
      for (let index = 0; index < 50; index++) bus.publish("flood", numbered(index));
      await arrived(bus);
      gate.release();
      await settled(bus);
    }
    expect(seen + dropped).toBe(1_000);
    expect(episodes).toBe(20);
  });
}
