import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { querySubject } from "#bus/subject.ts";
import { encodeSnapshotRequest } from "#wire/bus-codec.ts";
import { awaitFirstSubscription } from "./first-subscription.ts";

// As gateways write them, so that this follows when they change.
const ADDRESS = { venue: "binance", publisherId: "p-1" };

function snapshotQuery(channel: "book" | "trades", symbol: string): string {
  return querySubject({ ...ADDRESS, query: "snapshot", channel, symbol });
}

const OF_A_TOPIC = encodeSnapshotRequest({ paged: true, skippedEvents: 0 });
// A GetSnapshotRequest of which the venue is "a".
const OF_A_CALL = new Uint8Array([10, 1, 97]);

/** Timers that fire when the test says so; only the delays matter here. */
function createClock() {
  const timers = new Set<{ readonly fire: () => void }>();
  return {
    nowUs: () => 0,
    monotonicUs: () => 0,
    after(_: number, fire: () => void) {
      const timer = { fire };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    fire() {
      const due = [...timers];
      timers.clear();
      for (const timer of due) timer.fire();
    },
    get waiting() {
      return timers.size;
    },
  };
}

function createFixture() {
  const clock = createClock();
  const bus = new MemoryBus({ clock, schedule: (run) => run() });
  const first = awaitFirstSubscription(bus, clock);
  const state = { arrived: false };
  void first.arrived.then(() => (state.arrived = true));
  return { clock, bus, first, state, settle: () => Promise.resolve() };
}

test("a catalog query is nobody's subscription", async () => {
  const { clock, bus, state, settle } = createFixture();
  bus.publish(querySubject({ ...ADDRESS, query: "catalog" }), new Uint8Array());
  expect(clock.waiting).toBe(0);
  await settle();
  expect(state.arrived).toBe(false);
});

test("a GetSnapshot call is nobody's subscription", () => {
  const { clock, bus } = createFixture();
  bus.publish(snapshotQuery("book", "BTC-USDT"), OF_A_CALL);
  expect(clock.waiting).toBe(0);
});

test("the first topics start it once no more of them come in four looks", async () => {
  const { clock, bus, state, settle } = createFixture();
  bus.publish(snapshotQuery("trades", "BTC-USDT"), OF_A_TOPIC);
  for (let look = 0; look < 3; look++) clock.fire();
  bus.publish(snapshotQuery("book", "BTC-USDT"), OF_A_TOPIC);
  expect(clock.waiting).toBe(1);
  for (let look = 0; look < 3; look++) clock.fire();
  await settle();
  expect(state.arrived).toBe(false);
  clock.fire();
  await settle();
  expect(state.arrived).toBe(true);
  bus.publish(snapshotQuery("trades", "ETH-USDT"), OF_A_TOPIC);
  expect(clock.waiting).toBe(0);
});

test("after cancelling nothing waits", () => {
  const { clock, bus, first } = createFixture();
  bus.publish(snapshotQuery("trades", "BTC-USDT"), OF_A_TOPIC);
  first.cancel();
  expect(clock.waiting).toBe(0);
});

test("bytes that are no query are nobody's subscription", () => {
  const { clock, bus } = createFixture();
  bus.publish(snapshotQuery("book", "BTC-USDT"), Uint8Array.of(0xff));
  expect(clock.waiting).toBe(0);
});
