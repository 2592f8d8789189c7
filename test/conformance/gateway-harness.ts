import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "prom-client";
import type { Bus, BusEvent } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import type { RunningGateway } from "#gateway/main.ts";
import type { Tracing } from "#core/tracing.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { FakeIngestor } from "./gateway-fake-ingestor.ts";
import { RawClient } from "./gateway-raw-client.ts";

type LogLine = { readonly level: string; readonly message: string; readonly fields: object };

type RigBuses = { readonly gateway: Bus; readonly ingestor: Bus };

/** A gateway with a fake ingestor on one memory bus, and a clock that only the test moves. */
export class Rig {
  readonly clock = new ManualClock();
  readonly logs: LogLine[] = [];
  readonly registry = new Registry();
  /** Patterns that are subscribed on the bus now, with repetitions. */
  readonly upstream: string[] = [];
  readonly bus: Bus;
  readonly ingestor: FakeIngestor;
  gateway!: RunningGateway;
  readonly #clients: RawClient[] = [];
  readonly #busListeners = new Set<(event: BusEvent) => void>();

  private constructor(
    symbols: readonly string[],
    buses: RigBuses | undefined,
    payloadBytesMax: number | undefined,
  ) {
    const size = payloadBytesMax === undefined ? {} : { payloadBytesMax };
    this.bus = buses?.gateway ?? new MemoryBus({ clock: this.clock, ...size });
    this.ingestor = new FakeIngestor(buses?.ingestor ?? this.bus, this.clock, symbols);
  }

  static async start(
    transport: "uws" | "node",
    options: {
      readonly symbols?: readonly string[];
      readonly config?: Parameters<typeof gatewayConfig>[0];
      /** In place of one bus in memory. The rig closes that of the gateway. */
      readonly buses?: RigBuses;
      readonly tracing?: Tracing;
      /** Of the bus in memory. */
      readonly payloadBytesMax?: number;
    } = {},
  ): Promise<Rig> {
    const rig = new Rig(
      options.symbols ?? ["BTC-USDT", "ETH-USDT"],
      options.buses,
      options.payloadBytesMax,
    );
    const log = (level: string) => (fields: object, message: string) => {
      rig.logs.push({ level, message, fields });
    };
    rig.gateway = await startGateway({
      config: gatewayConfig({
        port: 0,
        transport,
        lameDuckMs: 0,
        discoveryMs: 0,
        ...options.config,
      }),
      bus: rig.#watchedBus(),
      clock: rig.clock,
      random: () => 0.5,
      logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
      registry: rig.registry,
      tracing: options.tracing,
    });
    await rig.settle();
    rig.clock.advance(0);
    return rig;
  }

  get url(): string {
    return `http://127.0.0.1:${this.gateway.port}`;
  }

  async client(options?: Parameters<typeof RawClient.open>[1]): Promise<RawClient> {
    const client = await RawClient.open(this.gateway.port, options);
    this.#clients.push(client);
    return client;
  }

  /** Lets the bus deliver and promises run: a fixed number of turns, no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  }

  async metric(name: string): Promise<number> {
    const metric = await this.registry.getSingleMetric(name)?.get();
    return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  }

  /** Tells the gateway something about the bus. */
  busEvent(event: BusEvent): void {
    for (const listener of this.#busListeners) listener(event);
  }

  /** Stops everything. Throws if the gateway logged an error: nothing that a client does is one. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.settle();
    const closing = this.gateway.close({ graceMs: 0 });
    this.clock.advance(1);
    await closing;
    await this.bus.close();
    const errors = this.logs.filter((line) => line.level === "error");
    assert.deepEqual(errors, []);
  }

  #watchedBus(): Bus {
    const { bus, upstream } = this;
    const listeners = this.#busListeners;
    return new Proxy(bus, {
      get(target, property) {
        if (property === "subscribe") {
          return (...parameters: Parameters<Bus["subscribe"]>) => {
            const [pattern] = parameters;
            upstream.push(pattern);
            const subscription = target.subscribe(...parameters);
            return {
              pattern,
              unsubscribe: () => {
                subscription.unsubscribe();
                upstream.splice(upstream.indexOf(pattern), 1);
              },
            };
          };
        }
        if (property === "onEvent") {
          return (listener: (event: BusEvent) => void) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
          };
        }
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
