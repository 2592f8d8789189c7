import { Counter } from "prom-client";
import type { Registry } from "prom-client";
import type { Bus } from "#bus/bus.ts";

const NAME = "tickwire_bus_dropped_messages_total";

/** Counts what a bus dropped. Of several buses of a process, the first one is counted. */
export function registerBusDrops(registry: Registry, bus: Pick<Bus, "droppedMessages">): void {
  if (registry.getSingleMetric(NAME) !== undefined) return;
  let counted = 0;
  const counter: Counter = new Counter({
    name: NAME,
    help: "Messages of the bus that were dropped because they came faster than they were handled.",
    registers: [registry],
    collect: () => {
      counter.inc(bus.droppedMessages - counted);
      counted = bus.droppedMessages;
    },
  });
}
