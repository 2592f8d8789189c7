// What a publisher keeps of its topics is, byte for byte, what it published.
import assert from "node:assert/strict";
import { readBusBatch } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import type { TopicRecord } from "#publish/topic-record.ts";
import { DOCUMENTED, makeDocumented } from "../bench/suite/documented.mjs";
import { capturePath } from "#test/support/captures.ts";

type Line = Parameters<CaptureReplay["take"]>[0];
type VenueName = keyof typeof VENUES;

const CAPTURES = [
  ["binance-usdm-4-pairs", "binance-usdm"],
  ["binance-btcusdt-345s", "binance"],
  ["coinbase-10-pairs", "coinbase"],
  ["kraken-v2-ethusd", "kraken"],
  ["kraken-v2-btcusd-depth10-resubscribes", "kraken"],
  ["kucoin-10-pairs", "kucoin"],
  ["okx-3-instruments", "okx"],
  ["bitget-v1-10-pairs", "bitget-v1"],
  ["deribit-10-options", "deribit"],
  ["gateio-10-pairs", "gateio"],
] as const;

const LINES_MAX = 4_000;
/** Then a batch is full. */
const FRAMES_PER_BATCH_MAX = 40;
/** One in so many is read alone. */
const READ_EVERY = 97;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The batches of each topic as they left, and the topics. */
function publish(venue: VenueName, lines: readonly Line[]) {
  const published = new Map<string, Uint8Array[]>();
  const bus = {
    payloadBytesMax: 1_048_576,
    publish: (subject: string, payload: Uint8Array) => {
      const batches = published.get(subject);
      if (batches === undefined) published.set(subject, [payload]);
      else batches.push(payload);
    },
  } as Bus;
  const replay: CaptureReplay = new CaptureReplay({
    adapter: VENUES[venue],
    bookDepth: 1_000,
    logger: SILENT,
    emit: (event) => publisher.publish(event),
    emitTick: (tick) => publisher.publishTick(tick),
  });
  const publisher = new Publisher({
    bus,
    clock: replay.clock,
    epoch: 1,
    limits: PUBLISH_LIMITS_DEFAULTS,
    schedule() {},
    counters: createPublisherCounters(),
    logger: SILENT,
  });
  let frames = 0;
  for (const line of lines) {
    replay.take(line);
    frames += 1;
    // Many of one event, and some of many.
    if (frames % (1 + (frames % FRAMES_PER_BATCH_MAX)) === 0) publisher.flush();
  }
  publisher.flush();
  replay.close();
  return { published, topics: [...publisher.allTopics()] };
}

/** Topics of which something else is kept than what was published. */
function keptWrongly(venue: VenueName, lines: readonly Line[]): string[] {
  const { published, topics } = publish(venue, lines);
  assert.ok(topics.length > 0, "something was published");
  const isWrong = ({ subject, history }: TopicRecord) => {
    const kept = (published.get(subject) ?? []).slice(-history.batches);
    const all = history.after(history.keptAfter, Infinity)?.map(hex).join();
    const isOtherAlone = (message: Uint8Array, index: number) => {
      if (index % READ_EVERY !== 0) return false;
      const { baseSequence } = readBusBatch(message);
      return history.after(baseSequence, 1)?.map(hex).join() !== hex(message);
    };
    return all !== kept.map(hex).join() || kept.some(isOtherAlone);
  };
  return topics.filter(isWrong).map(({ subject }) => subject);
}

describe.each(CAPTURES)("the past of %s", (name, venue) => {
  const path = capturePath(name);
  test.skipIf(path === undefined)("is what was published", async () => {
    const lines: Line[] = [];
    for await (const line of readCapture(path!)) {
      if (lines.length === LINES_MAX) break;
      if (line.kind !== "header" && line.kind !== "damaged") lines.push(line);
    }
    expect(keptWrongly(venue, lines)).toEqual([]);
  });
});

describe.each([...DOCUMENTED])("the past of %s", (name, venue) => {
  test("is what was published", () => {
    const lines = makeDocumented(name).lines.slice(0, LINES_MAX);
    expect(keptWrongly(venue as VenueName, lines)).toEqual([]);
  });
});
