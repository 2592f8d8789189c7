import { Registry } from "prom-client";
import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { eventSubject } from "#bus/subject.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { LevelColumns } from "#core/market-event.ts";
import { parseCaptureLine } from "#ingest/capture/capture-format.ts";
import type { CaptureLine } from "#ingest/capture/capture-format.ts";
import { CaptureRecorder } from "#ingest/capture/capture-recorder.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { ingestConfig } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import { ManualClock } from "#test/support/manual-clock.ts";

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };

/** What an event says, in decimals: the scale of a batch is the largest of its events. */
function textOf(row: object): string {
  const fields = new Map(Object.entries(row).filter(([, value]) => value !== undefined));
  fields.delete("kind");
  fields.delete("instrument");
  const priceScale = Number(fields.get("priceScale") ?? 0);
  const sizeScale = Number(fields.get("sizeScale") ?? 0);
  fields.delete("priceScale");
  fields.delete("sizeScale");
  for (const [name, value] of fields) {
    if (/price(Mantissa)?$/i.test(name)) fields.set(name, plain(value, priceScale));
    else if (/size(Mantissa)?$/i.test(name)) fields.set(name, plain(value, sizeScale));
    else if (name === "bids" || name === "asks") {
      const { prices, sizes } = value as LevelColumns;
      fields.set(name, [
        prices.map((price) => plain(price, priceScale)),
        sizes.map((size) => plain(size, sizeScale)),
      ]);
    }
  }
  return JSON.stringify([...fields].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function plain(value: unknown, scale: number): unknown {
  return typeof value === "number" || typeof value === "bigint"
    ? formatDecimal(value, scale)
    : value;
}

test("what was recorded live replays to the same events, topic by topic", async () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  const live = new Map<string, string[]>();
  bus.subscribe("md.v2.>", ({ subject, payload }) => {
    const topic = live.get(subject) ?? [];
    live.set(subject, topic);
    for (const row of rowsOf(readBusEvents(readBusBatch(payload))).rows) topic.push(textOf(row));
  });
  const written: string[] = [];
  const writer = { write: (lines: string) => void written.push(lines), bufferedBytes: () => 0 };
  const market = { seed: 3, instruments: 2, perpetuals: 1, eventsPerSecond: 100 };
  const ingest = await startIngest({
    config: ingestConfig({
      venues: [{ id: "simulated", simulated: market }],
      drainTimeoutMs: 0,
    }),
    bus,
    clock,
    logger: LOGGER,
    registry: new Registry(),
    random: () => 0.5,
    intercept: (venue, network) => {
      const recorder = new CaptureRecorder({ venue, source: "test", ...network, clock, writer });
      return { dialer: recorder, restClient: recorder };
    },
  });
  for (let step = 0; step < 500; step += 1) {
    clock.advance(20);
    await new Promise((resolve) => setImmediate(resolve));
    await bus.flush();
  }
  const lines = written.join("").trimEnd().split("\n");
  await ingest.close();
  await bus.close();

  async function* source(): AsyncGenerator<CaptureLine> {
    for (const line of lines) yield parseCaptureLine(line);
  }
  const replayed = new Map<string, string[]>();
  const summary = await replayCapture({
    source: source(),
    speed: "max",
    clock,
    onEvent: ({ event }) => {
      // States are the session's own: a recording does not say when it was planned.
      if (event.kind === "status") return;
      const { venue, symbol } = event.instrument;
      const subject = eventSubject({ venue, symbol, channel: CHANNEL_OF_KIND[event.kind] });
      const topic = replayed.get(subject) ?? [];
      replayed.set(subject, topic);
      topic.push(textOf(event));
    },
  });
  expect(summary).toMatchObject({ damagedLines: 0, gaps: 0, rejected: {} });
  // What is followed, and how it is, is the ingestor's own to say.
  for (const subject of live.keys()) {
    if (/\.(?:status|listings)\./.test(subject)) live.delete(subject);
  }
  expect([...replayed.keys()].toSorted()).toEqual([...live.keys()].toSorted());
  expect(live.size).toBeGreaterThan(10);
  for (const [subject, events] of live) expect(replayed.get(subject)).toEqual(events);
});
