import { Counter } from "prom-client";
import type { Registry } from "prom-client";
import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";

/** Thousands of topics lose messages in the same moment, which is logged as one. */
const DROPS_LOG_MS = 1_000;

const DROPS_NAME = "tickwire_bus_dropped_messages_total";

/** Counts messages of the bus that were dropped because they came faster than they were handled. */
export function createBusDrops(registry: Registry): Counter {
  // A process may open the bus more than once.
  const known = registry.getSingleMetric(DROPS_NAME);
  if (known instanceof Counter) return known;
  return new Counter({
    name: DROPS_NAME,
    help: "Messages of the bus that were dropped because they came faster than they were handled.",
    registers: [registry],
  });
}

type BusEventParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly drops: Counter | undefined;
};

/** Logs what happens to the bus, and counts what it drops. */
export function followBusEvents(bus: Bus, { clock, logger, drops }: BusEventParts): void {
  let subscriptions = 0;
  let dropped = 0;
  const logDrops = (): void => {
    logger.warn({ kind: "slow-consumer", subscriptions, dropped }, "bus");
    subscriptions = 0;
    dropped = 0;
  };
  bus.onEvent((event) => {
    if (event.kind === "slow-consumer") {
      drops?.inc(event.dropped);
      if (subscriptions === 0) clock.after(DROPS_LOG_MS, logDrops);
      subscriptions += 1;
      dropped += event.dropped;
    } else if (event.kind === "disconnected") logger.warn(event, "bus");
    else logger.info(event, "bus");
  });
}
