import { afterAll, beforeAll, describe } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { BusHost } from "#bus/threads/bus-host.ts";
import { ThreadBus } from "#bus/threads/thread-bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import { createThreadLink } from "#test/support/thread-link.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { describeBus } from "./bus-suite.ts";

describeBus({
  name: "memory",
  open: async ({ onHandlerError, schedule }) =>
    new MemoryBus({
      clock: {
        nowUs: () => Date.now() * 1_000,
        monotonicUs: () => Date.now() * 1_000,
        after: (delayMs, callback) => {
          const timer = setTimeout(callback, delayMs);
          return () => clearTimeout(timer);
        },
      },
      onHandlerError,
      schedule,
    }),
  // Publishing puts messages where they wait for delivery.
  arrived: () => Promise.resolve(),
});

describeBus({
  name: "thread's (memory)",
  open: async ({ onHandlerError, schedule }) => {
    const clock = new SystemClock();
    const bus = new MemoryBus({ clock });
    const { host, thread } = createThreadLink(bus);
    new BusHost({ bus, clock, onOverrun: () => undefined }).attach(host);
    return new ThreadBus({ link: thread, clock, onHandlerError, schedule });
  },
  arrived: (bus) => bus.flush(),
});

describe.skipIf(requireNatsServer() === undefined)("over a real nats-server", () => {
  let server: NatsServer;

  beforeAll(async () => {
    server = await startNatsServer();
  });

  afterAll(async () => {
    await server.stop();
  });

  describeBus({
    name: "nats",
    open: (options) => connectNatsBus({ servers: server.url, ...options }),
    // The server answers a flush after the messages before it, on the same connection.
    arrived: (bus) => bus.flush(),
  });
});
