import { setImmediate as nextTurn } from "node:timers/promises";
import { connect, type Client, type LagEvent } from "@tickwire/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { NarrowWire } from "#test/support/narrow-wire.ts";

// A client behind a slow line, in time that the test moves: 8 kB/s of about 60 kB/s.

const STEP_MS = 100;
const TRADES_A_STEP = 300;

describe.each(TRANSPORTS)("a client at 8 kB/s over %s", (transport) => {
  let rig: Rig;
  let wire: NarrowWire;
  let client: Client;
  let seconds: number;

  beforeEach(async () => {
    rig = await Rig.start(transport);
    wire = await NarrowWire.open(rig.gateway.port);
    seconds = 0;
  });

  afterEach(async () => {
    client.close();
    await wire.close();
    await rig.stop();
  });

  async function turns(count = 20): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await nextTurn();
  }

  /** A tenth of a second passes. */
  async function step(bytes: number): Promise<void> {
    const price = (index: number) => (index * 7_919 + Math.round(seconds * 10) * 104_729) % 1e9;
    rig.ingestor.publish(
      Array.from({ length: TRADES_A_STEP }, (_, index) =>
        rig.ingestor.trade("BTC-USDT", price(index)),
      ),
    );
    await turns();
    wire.pass(bytes);
    await turns();
    rig.clock.advance(STEP_MS);
    seconds += STEP_MS / 1_000;
  }

  test("is told how far behind it is, and is closed with 4001 while it still listens", async () => {
    const connecting = connect(`ws://127.0.0.1:${wire.port}`, {
      compression: false,
      reconnect: { baseMs: 600_000, maxMs: 600_000 },
      pingIntervalMs: 0,
    });
    let isConnected = false;
    void connecting.then(() => (isConnected = true));
    while (!isConnected) {
      await turns();
      wire.pass(10_000);
    }
    client = await connecting;
    const lags: (LagEvent & { readonly atSeconds: number })[] = [];
    const ages: number[] = [];
    let started = false;
    client.onTrades(
      "fake:BTC-USDT",
      ({ publishedTimeUs }) => ages.push((rig.clock.nowUs() - publishedTimeUs) / 1e6),
      {
        onNotice: (notice) => {
          started = true;
          if (notice.type === "lag") lags.push({ ...notice, atSeconds: seconds });
        },
      },
    );
    while (!started) {
      await turns();
      wire.pass(10_000);
    }
    let closed: { readonly code: number | undefined; readonly reason: string } | undefined;
    client.onState((_state, { error, reason }) => (closed = { code: error?.closeCode, reason }));
    for (let quiet = 1; quiet <= 30; quiet += 1) {
      await step(0);
      while (ages.length < quiet * TRADES_A_STEP) {
        wire.pass(100_000);
        await turns(1);
      }
    }
    expect(Math.max(...ages)).toBeLessThan(1);
    expect([lags, closed]).toEqual([[], undefined]);
    const from = seconds;
    while (closed === undefined && seconds < from + 120) await step(800);
    const [lag] = lags;
    expect(lag?.lagMs).toBeGreaterThan(5_000);
    expect(lag?.lagMs).toBeLessThan(9_000);
    expect((lag?.atSeconds ?? 0) - from).toBeLessThan(60);
    expect(closed).toMatchObject({ code: 4001, reason: expect.stringContaining("lagMsMax") });
    expect(await rig.metric("tickwire_gateway_slow_consumers_total")).toBe(1);
  }, 60_000);
});
