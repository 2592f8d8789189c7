import { describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { DOCUMENTED, makeDocumented } from "../bench/suite/documented.mjs";
import { capturePath } from "#test/support/captures.ts";
import { alteredFrames } from "#test/support/scan-oracle.ts";

type Line = Parameters<CaptureReplay["take"]>[0];

const CAPTURES = [
  ["binance-usdm-btcusdt-345s", "binance-usdm"],
  ["binance-usdm-4-pairs", "binance-usdm"],
  ["binance-btcusdt-345s", "binance"],
  ["coinbase-10-pairs", "coinbase"],
  ["kraken-v2-ethusd", "kraken"],
  ["kraken-v2-btcusd-depth10-resubscribes", "kraken"],
  ["kraken-v1-10-pairs", "kraken-v1"],
  ["kucoin-10-pairs", "kucoin"],
  ["bitfinex-7-pairs", "bitfinex"],
  ["bitstamp-10-pairs", "bitstamp"],
  ["gateio-10-pairs", "gateio"],
  ["okx-3-instruments", "okx"],
  ["bitget-v1-10-pairs", "bitget-v1"],
  ["deribit-10-options", "deribit"],
] as const;

const LINES_MAX = 2_500;
const MADE_LINES_MAX = 1_500;
/** A frame in so many is damaged, or says the same in another way. */
const ALTERED_EVERY = 40;
const FRAMES_PER_BATCH = 7;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** The same venue, whose frames are all read as JSON. */
function unscanned(adapter: FeedAdapter): FeedAdapter {
  return {
    ...adapter,
    createDecoder: (context) => {
      const decoder = adapter.createDecoder(context);
      return {
        sent: (frame) => decoder.sent?.(frame),
        decode: (...frame) => decoder.decode(...frame),
        decodeRest: (...reply) => decoder.decodeRest(...reply),
      };
    },
  };
}

/** What a publisher makes of the lines: every batch, and what was counted. */
function publish(adapter: FeedAdapter, lines: readonly Line[], asTicks: boolean) {
  const batches: string[] = [];
  const bus = {
    payloadBytesMax: 1_048_576,
    publish: (subject: string, payload: Uint8Array) => {
      batches.push(`${subject} ${Buffer.from(payload).toString("base64")}`);
    },
  } as Bus;
  let ticks = 0;
  const replay: CaptureReplay = new CaptureReplay({
    adapter: asTicks ? adapter : unscanned(adapter),
    bookDepth: 1_000,
    logger: SILENT,
    emit: (event) => publisher.publish(event),
    ...(asTicks
      ? {
          emitTick: (tick) => {
            ticks += 1;
            publisher.publishTick(tick);
          },
        }
      : {}),
  });
  const counters = createPublisherCounters();
  const latencies = createPublishLatencies();
  const publisher = new Publisher({
    bus,
    clock: replay.clock,
    epoch: 1,
    limits: PUBLISH_LIMITS_DEFAULTS,
    schedule() {},
    counters,
    latencies,
    logger: SILENT,
  });
  let frames = 0;
  for (const line of lines) {
    replay.take(line);
    if (line.kind !== "received") continue;
    frames += 1;
    if (frames % FRAMES_PER_BATCH === 0) publisher.flush();
  }
  publisher.flush();
  const topics = [...publisher.allTopics()].map(({ subject, sequence, last, trades }) => {
    const kept = Array.from({ length: trades.length }, (_, index) => trades.at(index));
    return { subject, sequence, last, kept };
  });
  replay.close();
  return { batches, topics, counters: [replay.counters, counters], ticks };
}

async function linesOf(path: string): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of readCapture(path)) {
    if (lines.length === LINES_MAX) break;
    if (line.kind !== "header" && line.kind !== "damaged") lines.push(line);
  }
  return lines;
}

/** Some frames altered, once each. */
function damaged(lines: readonly Line[], seed: number): Line[] {
  let frames = 0;
  return lines.map((line) => {
    if (line.kind !== "received" || typeof line.frame !== "string") return line;
    frames += 1;
    if (frames % ALTERED_EVERY !== 0) return line;
    const [frame = ""] = alteredFrames([line.frame], { count: 1, seed: seed + frames });
    return { ...line, frame };
  });
}

describe.each(CAPTURES)("what is published of %s", (name, venue) => {
  const path = capturePath(name);
  const adapter = VENUES[venue];

  test.skipIf(path === undefined)("is the same to the byte as ticks and as events", async () => {
    const lines = await linesOf(path!);
    const { ticks, ...asTicks } = publish(adapter, lines, true);
    const { ticks: none, ...asEvents } = publish(adapter, lines, false);
    expect(asTicks).toEqual(asEvents);
    expect(none).toBe(0);
    expect(ticks).toBeGreaterThan(lines.length / 20);
  });

  test.skipIf(path === undefined)("is the same also where frames are damaged", async () => {
    const lines = damaged(await linesOf(path!), 11);
    const { ticks, ...asTicks } = publish(adapter, lines, true);
    const { ticks: _none, ...asEvents } = publish(adapter, lines, false);
    expect(asTicks).toEqual(asEvents);
    expect(ticks).toBeGreaterThan(0);
  });
});

/** Venues that no capture is there of. */
describe.each([...DOCUMENTED])("what is published of %s", (name, venue) => {
  const adapter = VENUES[venue as keyof typeof VENUES];
  const lines = makeDocumented(name).lines.slice(0, MADE_LINES_MAX);

  test("is the same to the byte as ticks and as events, also where frames are damaged", () => {
    for (const each of [lines, damaged(lines, 11)]) {
      const { ticks, ...asTicks } = publish(adapter, each, true);
      const { ticks: none, ...asEvents } = publish(adapter, each, false);
      expect(asTicks).toEqual(asEvents);
      expect(none).toBe(0);
      // What Hyperliquid sends is read as JSON.
      expect(ticks > 0).toBe(venue !== "hyperliquid");
    }
  });
});
