import { setImmediate as nextTurn } from "node:timers/promises";
import { connect, type Client } from "@tickwire/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { NarrowWire } from "#test/support/narrow-wire.ts";
import { createPrng } from "#test/support/prng.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

// A client behind a slow line asks for the time while something large comes, in time that the test
// moves by the millisecond.

const LEVELS = 750_000;
const CALL_EVERY_MS = 10;
/** Replies are judged for each such part of the transfer by itself: no part may be the bad one. */
const PART_BYTES = 250_000;

/** How long a reply took that was asked for when so much had come. */
type Latency = { readonly atBytes: number; readonly tookMs: number };

describe.each(TRANSPORTS)("over %s, a reply", (transport) => {
  let rig: Rig;
  let wire: NarrowWire;
  let client: Client;
  let nowMs: number;
  let passed: number;

  beforeEach(async () => {
    rig = await Rig.start(transport, { payloadBytesMax: 64 * 1024 * 1024 });
    wire = await NarrowWire.open(rig.gateway.port);
    nowMs = 0;
    passed = 0;
    const connecting = connect(`ws://127.0.0.1:${wire.port}`, {
      compression: false,
      pingIntervalMs: 0,
      callTimeoutMs: 60_000,
      clock: rig.clock,
    });
    let isConnected = false;
    void connecting.then(() => (isConnected = true));
    while (!isConnected) await step(10_000);
    client = await connecting;
  });

  afterEach(async () => {
    client.close();
    await wire.close();
    await rig.stop();
  });

  /** A millisecond passes, in which the line carries so much. */
  async function step(bytes: number): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    passed += wire.pass(bytes);
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    rig.clock.advance(1);
    nowMs += 1;
  }

  /** How long each reply took, until `isOver`, at so many bytes a millisecond. */
  async function latencies(bytesPerMs: number, isOver: () => boolean): Promise<Latency[]> {
    const found: Latency[] = [];
    const before = passed;
    for (let tick = 0; !isOver(); tick += 1) {
      if (tick % CALL_EVERY_MS === 0) {
        const [atBytes, fromMs] = [passed - before, nowMs];
        const push = () => found.push({ atBytes, tookMs: nowMs - fromMs });
        void client.rpc.getServerTime({}).then(push, () => undefined);
      }
      await step(bytesPerMs);
    }
    return found;
  }

  function p99(all: readonly Latency[]): number {
    const sorted = all.map(({ tookMs }) => tookMs).sort((left, right) => left - right);
    return sorted[Math.floor(sorted.length * 0.99)]!;
  }

  function publishLargeBook(): void {
    const random = createPrng(7);
    const size = () => 1 + Math.floor(random.next() * 2 ** 40);
    const bids = {
      prices: Array.from({ length: LEVELS }, (_, level) => 1_000_000_000 - level * 3),
      sizes: Array.from({ length: LEVELS }, size),
    };
    const empty = rig.ingestor.book("BTC-USDT", 1, 1);
    rig.ingestor.publish([{ ...empty, snapshot: true, bids }]);
  }

  test.each([
    [1_000, "1 MB/s"],
    [400, "400 kB/s"],
  ])(
    "overtakes a snapshot of 5 MB at %i bytes a millisecond (%s)",
    async (bytesPerMs) => {
      publishLargeBook();
      const until = nowMs + 500;
      const idle = await latencies(bytesPerMs, () => nowMs > until);
      let levels = 0;
      client.onBook("fake:BTC-USDT", (book) => {
        if (book.state === "live") levels = book.topBids(LEVELS).length;
      });
      const before = passed;
      // A client that is busy with the whole of it is not what is looked at.
      const busy = await latencies(bytesPerMs, () => levels > 0 || passed - before > 5_000_000);
      expect(busy.length).toBeGreaterThan(200);
      for (let from = 0; from < 5_000_000; from += PART_BYTES) {
        const part = busy.filter(({ atBytes }) => atBytes >= from && atBytes < from + PART_BYTES);
        expect([from, part.length > 10]).toEqual([from, true]);
        expect(p99(part) - p99(idle)).toBeLessThan(20);
      }
      // The line was busy all the time.
      expect(passed - before).toBeGreaterThan(busy.length * CALL_EVERY_MS * bytesPerMs * 0.9);
      while (levels === 0) await step(100_000);
      expect(levels).toBe(LEVELS);
    },
    120_000,
  );
});
