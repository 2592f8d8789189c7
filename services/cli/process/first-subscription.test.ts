import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { querySubject } from "#bus/subject.ts";
import { awaitFirstSubscription } from "./first-subscription.ts";

// As gateways write them, so that this follows when they change.
const ADDRESS = { venue: "binance", publisherId: "p-1" };

function snapshotQuery(channel: "book" | "trades", symbol: string): string {
  return querySubject({ ...ADDRESS, query: "snapshot", channel, symbol });
}

/** Timers that fire when the test says so; only the delays matter here. */
function createClock() {
  const timers = new Set<{ readonly fire: () => void }>();
  return {
    nowUs: () => 0,
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
  bus.publish(snapshotQuery("book", "BTC-USDT"), new Uint8Array([10, 1, 97]));
  expect(clock.waiting).toBe(0);
});

test("the first topics start it once no more of them come in four looks", async () => {
  const { clock, bus, state, settle } = createFixture();
  bus.publish(snapshotQuery("trades", "BTC-USDT"), new Uint8Array());
  for (let look = 0; look < 3; look++) clock.fire();
  bus.publish(snapshotQuery("book", "BTC-USDT"), new Uint8Array());
  expect(clock.waiting).toBe(1);
  for (let look = 0; look < 3; look++) clock.fire();
  await settle();
  expect(state.arrived).toBe(false);
  clock.fire();
  await settle();
  expect(state.arrived).toBe(true);
  bus.publish(snapshotQuery("trades", "ETH-USDT"), new Uint8Array());
  expect(clock.waiting).toBe(0);
});

test("after cancelling nothing waits", () => {
  const { clock, bus, first } = createFixture();
  bus.publish(snapshotQuery("trades", "BTC-USDT"), new Uint8Array());
  first.cancel();
  expect(clock.waiting).toBe(0);
});
