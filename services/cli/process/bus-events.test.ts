import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { registerBusDrops } from "#gateway/bus-drops.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { logBusEvents } from "./bus-events.ts";

test("what many subscriptions lose at once is counted, and logged once", async () => {
  const clock = new ManualClock();
  const turns: (() => void)[] = [];
  const bus = new MemoryBus({ clock, schedule: (run) => void turns.push(run) });
  const registry = new Registry();
  const logged: unknown[] = [];
  const log = (fields: object, message: string): void => void logged.push({ ...fields, message });
  const logger = { debug: log, info: log, warn: log, error: log };
  registerBusDrops(registry, bus);
  logBusEvents(bus, { clock, logger });
  const lose = (topics: number, messages: number): void => {
    for (let topic = 0; topic < topics; topic += 1) {
      const subscription = bus.subscribe(`t.${topic}`, () => {}, { pendingMessagesMax: 5 });
      for (let message = 0; message < 5 + messages; message += 1) {
        bus.publish(`t.${topic}`, new Uint8Array(1));
      }
      for (const turn of turns.splice(0)) turn();
      subscription.unsubscribe();
    }
  };
  lose(3, 4);
  expect(logged).toEqual([]);
  clock.advance(1_000);
  const kind = "slow-consumer";
  expect(logged).toEqual([{ kind, subscriptions: 3, dropped: 12, message: "bus" }]);
  lose(1, 2);
  clock.advance(1_000);
  expect(logged.slice(1)).toEqual([{ kind, subscriptions: 1, dropped: 2, message: "bus" }]);
  const metric = registry.getSingleMetric("tickwire_bus_dropped_messages_total");
  expect((await metric?.get())?.values).toEqual([{ labels: {}, value: 14 }]);
  lose(1, 3);
  await bus.close();
  expect(logged.at(-2)).toEqual({ kind, subscriptions: 1, dropped: 3, message: "bus" });
  clock.advance(1_000);
  expect(logged).toHaveLength(4);
  expect(logged.at(-1)).toEqual({ kind: "closed", reason: "closed", message: "bus" });
});
