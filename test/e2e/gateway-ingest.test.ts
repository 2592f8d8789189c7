import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import type { RunningGateway } from "#gateway/main.ts";
import { ingestConfigSchema } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { RawClient } from "#test/conformance/gateway-raw-client.ts";
import type { RawBatch } from "#test/conformance/gateway-raw-client.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe.each(TRANSPORTS)("a simulated market through the gateway on %s", (transport) => {
  let bus: MemoryBus;
  let ingest: RunningIngest;
  let gateway: RunningGateway;
  const clients: RawClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await gateway.close({ graceMs: 0 });
    await ingest.close();
    await bus.close();
  });

  async function start(): Promise<void> {
    const clock = new SystemClock();
    bus = new MemoryBus({ clock });
    const simulated = { seed: 3, instruments: 5, perpetuals: 2, eventsPerSecond: 400 };
    const config = ingestConfigSchema.parse({ venues: [{ id: "simulated", simulated }] });
    const common = { bus, clock, logger: silent };
    ingest = await startIngest({ ...common, config, registry: new Registry() });
    await ingest.whenStarted;
    gateway = await startGateway({
      ...common,
      config: gatewayConfig({ port: 0, transport }),
      registry: new Registry(),
    });
    while (gateway.notReadyReasons().length > 0) await nextTurn();
  }

  async function join(): Promise<{ client: RawClient; positions: Map<number, number> }> {
    const client = await RawClient.open(gateway.port);
    clients.push(client);
    const results = await client.subscribe("*:*/*");
    expect(results.filter((result) => result.error !== 0)).toEqual([]);
    expect(results.length).toBeGreaterThan(20);
    const positions = new Map(
      results.map((result) => [result.topicId, Number(result.position?.sequence)]),
    );
    return { client, positions };
  }

  /** Where a topic's batches break off: undefined if each continues the one before. */
  function breakOf(batches: readonly RawBatch[], position: number): string | undefined {
    let at = position;
    for (const batch of batches) {
      const expected = batch.snapshot ? at : at + 1;
      if (batch.first !== expected) return `${batch.first} after ${at}`;
      at = batch.last;
    }
    return undefined;
  }

  test("whoever joins whenever gets every topic from a state on, without gap or repetition", async () => {
    await start();
    const joined = [await join()];
    for (let round = 1; round <= 5; round += 1) {
      await joined[0]?.client.until(() => (joined[0]?.client.batches.length ?? 0) > round * 1_000);
      joined.push(await join());
    }
    const last = joined.at(-1)?.client;
    await last?.until(() => last.batches.length > 1_000);
    for (const { client, positions } of joined) {
      const breaks = [...positions].map(([topicId, position]) =>
        breakOf(client.batchesOf(topicId), position),
      );
      expect(breaks.filter((text) => text !== undefined)).toEqual([]);
      expect(client.closed).toBeUndefined();
    }
  });
});
