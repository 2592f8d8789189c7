import { readBusBatch, readBusEvents } from "@tickwire/proto/codec";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ingestConfigSchema } from "../config.ts";
import { startIngest } from "../main.ts";

const ignore = (): void => {};

test("the simulated venue goes through the ingestor like any other, without a rejection", async () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  const counts = new Map<string, number>();
  const last = new Map<string, number>();
  bus.subscribe("md.v2.simulated.>", ({ subject, payload }) => {
    const batch = readBusEvents(readBusBatch(payload));
    const channel = subject.split(".")[3] ?? "";
    counts.set(channel, (counts.get(channel) ?? 0) + batch.count);
    expect(batch.firstSequence).toBe((last.get(subject) ?? 0) + 1);
    last.set(subject, batch.firstSequence + batch.count - 1);
  });
  const ingest = await startIngest({
    config: ingestConfigSchema.parse({
      venues: [
        {
          id: "simulated",
          simulated: { instruments: 3, perpetuals: 1, eventsPerSecond: 50, pace: "even" },
        },
      ],
    }),
    bus,
    clock,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    registry: new Registry(),
    random: () => 0.5,
  });
  for (let tick = 0; tick < 700; tick += 1) {
    clock.advance(100);
    // Batches leave at the end of a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ingest.whenStarted;
  const [venue] = ingest.stats().venues;
  expect(Object.fromEntries(counts)).toMatchObject({
    trades: expect.any(Number),
    quotes: expect.any(Number),
    candles: expect.any(Number),
    ticker: expect.any(Number),
    funding: expect.any(Number),
    "mark-price": expect.any(Number),
    "open-interest": expect.any(Number),
    status: expect.any(Number),
  });
  // 4 instruments, 50 steps a second; a few less for the time that connecting took.
  expect(counts.get("book")).toBeGreaterThan(4 * 50 * 68);
  expect(venue?.counters).toMatchObject({
    connects: 1,
    disconnects: 0,
    refusals: 0,
    unrequested: 0,
    rejected: {},
    gaps: 0,
    resyncs: 0,
  });
  await ingest.close();
});
