import { setImmediate as nextTurn } from "node:timers/promises";
import { connect, type Client } from "@tickwire/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeIngestor } from "#test/conformance/gateway-fake-ingestor.ts";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

// One pattern over a venue that works and one whose ingestor answers nothing, in time that the test
// moves for the gateway and the client alike.

const DEAD = Array.from({ length: 152 }, (_, index) => `S${index}-USDT`);
const STEP_MS = 250;

describe.each(TRANSPORTS)("a venue that does not answer, over %s", (transport) => {
  let rig: Rig;
  let dead: FakeIngestor;
  let client: Client;

  beforeEach(async () => {
    rig = await Rig.start(transport);
    dead = new FakeIngestor(rig.bus, rig.clock, DEAD, "dead");
    dead.announce();
    await rig.settle();
    rig.clock.advance(0);
    await rig.settle();
    dead.held = [];
    roundTrips = 0;
    client = await connect(`ws://127.0.0.1:${rig.gateway.port}`, {
      clock: rig.clock,
      pingIntervalMs: 0,
    });
  });

  afterEach(async () => {
    client.close();
    dead.close();
    await rig.stop();
  });

  let roundTrips = 0;

  /** Until both ends have handled what either has sent. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    if (client.state !== "connected") return;
    roundTrips += 1;
    await client.rpc.getServerTime({});
  }

  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      // Both ingestors are alive, as far as announcements tell.
      if (passed % 30_000 === 0) for (const one of [rig.ingestor, dead]) one.announce();
      await settle();
      rig.clock.advance(STEP_MS);
    }
    await settle();
  }

  /** Lets time pass until it is so, at most for a minute. */
  async function until(isSo: () => boolean): Promise<void> {
    for (let passed = 0; !isSo() && passed < 60_000; passed += STEP_MS) await pass(STEP_MS);
    expect(isSo()).toBe(true);
  }

  test("holds up no other, costs few requests, and is there when it answers", async () => {
    const sequences: number[] = [];
    const started = new Set<string>();
    const unavailable = new Set<string>();
    client.onTrades("*:*", ({ sequence }) => sequences.push(sequence), {
      onNotice: (notice) => {
        if (notice.type !== "continuity") return;
        if (notice.continuity === "unavailable") unavailable.add(notice.topic);
        else started.add(notice.topic);
      },
    });
    await until(() => started.size === 2);
    expect([...started].sort()).toEqual(["fake:BTC-USDT/trades", "fake:ETH-USDT/trades"]);
    // It was not the deadline of the queries to the dead one that let them through.
    expect(unavailable.size).toBe(0);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)]);
    await pass(60_000);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 2)]);
    await until(() => sequences.length === 2);
    expect(sequences).toEqual([1, 2]);
    expect(unavailable.size).toBe(DEAD.length);
    expect(client.state).toBe("connected");
    expect(await rig.metric("tickwire_gateway_closes_total")).toBe(0);
    // Hello, the pattern, and what is asked for again; it was thousands of requests.
    const frames = await rig.metric("tickwire_gateway_frames_received_total");
    expect(frames - roundTrips).toBeLessThan(200);
    for (const answer of dead.held?.splice(0) ?? []) answer();
    dead.held = undefined;
    await until(() => started.size === DEAD.length + 2);
  }, 60_000);
});
