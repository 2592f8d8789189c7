import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { MemoryBus } from "./memory-bus.ts";

const empty = new Uint8Array(0);

test("a request times out by the clock, not a moment earlier, and leaves no timer behind", async () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  bus.subscribe("rq", () => undefined);
  const outcome = bus
    .request("rq", empty, { timeoutMs: 100 })
    .catch((error: Error) => error.message);
  let settled = false;
  void outcome.then(() => (settled = true));
  clock.advance(99.999);
  await bus.flush();
  expect(settled).toBe(false);
  clock.advance(0.001);
  expect(await outcome).toBe("no answer on rq in 100 ms");
  expect(clock.pending).toBe(0);
});

test("an answered request cancels its timer", async () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  bus.subscribe("rq", (message) => message.respond(empty));
  expect(await bus.request("rq", empty, { timeoutMs: 100 })).toHaveLength(0);
  expect(clock.pending).toBe(0);
});

test("who subscribes and unsubscribes later is found, whatever was published before", async () => {
  const bus = new MemoryBus({ clock: new ManualClock() });
  const seen: string[] = [];
  const publish = async (): Promise<string[]> => {
    bus.publish("a.b", empty);
    await bus.flush();
    return seen.splice(0).toSorted();
  };
  expect(await publish()).toEqual([]);
  const exact = bus.subscribe("a.b", () => seen.push("exact"));
  expect(await publish()).toEqual(["exact"]);
  const wild = bus.subscribe("a.*", () => seen.push("wild"));
  const group = bus.subscribe("a.>", () => seen.push("group"), { queueGroup: "g" });
  expect(await publish()).toEqual(["exact", "group", "wild"]);
  exact.unsubscribe();
  expect(await publish()).toEqual(["group", "wild"]);
  wild.unsubscribe();
  group.unsubscribe();
  expect(await publish()).toEqual([]);
});

test("subscribers of one process share the payload without a copy", async () => {
  const bus = new MemoryBus({ clock: new ManualClock() });
  const seen: Uint8Array[] = [];
  bus.subscribe("a", ({ payload }) => seen.push(payload));
  bus.subscribe("*", ({ payload }) => seen.push(payload));
  const payload = new Uint8Array(3);
  bus.publish("a", payload);
  await bus.flush();
  expect(seen.map((each) => each === payload)).toEqual([true, true]);
});

test("what a payload says reaches subscribers of this process as it was given", async () => {
  const bus = new MemoryBus({ clock: new ManualClock() });
  const seen: unknown[] = [];
  bus.subscribe("a", ({ content }) => seen.push(content));
  bus.subscribe("*", ({ content }) => seen.push(content));
  const content = { bytes: new Uint8Array(3) };
  bus.publish("a", content.bytes, content);
  bus.publish("a", content.bytes);
  await bus.flush();
  expect(seen.map((each) => each === content)).toEqual([true, true, false, false]);
  expect(seen.slice(2)).toEqual([undefined, undefined]);
});
