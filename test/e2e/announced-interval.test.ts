import { Registry } from "prom-client";
import { expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import { ingestConfigSchema } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import { ManualClock } from "#test/support/manual-clock.ts";

test.each([300, 2_000, 30_000])(
  "an ingestor that announces itself every %i ms is lost after three of them, never before",
  async (announceIntervalMs) => {
    const clock = new ManualClock();
    const bus = new MemoryBus({ clock });
    const lost: number[] = [];
    const log = (_fields: object, message: string): void => {
      if (message === "the ingestor is lost") lost.push(clock.nowUs());
    };
    const logger = { debug() {}, info() {}, warn: log, error: log };
    const common = { bus, clock, logger };
    const simulated = { instruments: 1, perpetuals: 0 };
    let isDead = false;
    // An ingestor that stops in an orderly way says so; this one dies.
    const mortalBus = new Proxy(bus, {
      get(target, property) {
        const publish: Bus["publish"] = (...message) => {
          if (!isDead) target.publish(...message);
        };
        if (property === "publish") return publish;
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const ingest = await startIngest({
      ...common,
      bus: mortalBus,
      config: ingestConfigSchema.parse({
        venues: [{ id: "simulated", channels: ["trades"], simulated }],
        announceIntervalMs,
        drainTimeoutMs: 0,
      }),
      registry: new Registry(),
    });
    const gateway = await startGateway({
      ...common,
      config: gatewayConfig({ port: 0, transport: "node" }),
      registry: new Registry(),
    });
    const run = async (steps: number): Promise<void> => {
      for (let step = 0; step < steps; step += 1) {
        clock.advance(announceIntervalMs / 4);
        await bus.flush();
      }
    };
    await run(40);
    expect(lost).toEqual([]);
    isDead = true;
    const closing = ingest.close();
    clock.advance(1);
    await closing;
    await run(7);
    expect(lost).toEqual([]);
    await run(6);
    expect(lost).toHaveLength(1);
    const closed = gateway.close({ graceMs: 0 });
    clock.advance(1);
    await closed;
    await bus.close();
  },
);
