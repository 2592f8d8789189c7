// Bytes of memory that events cost, which are the same on every machine: what is allocated for each
// while it is encoded, decoded or ingested, and what stays of a topic or an instrument. Runs on the
// build, in a process of its own, and prints one JSON object:
//
//   node --expose-gc --max-semi-space-size=256 --no-opt test/support/memory-figures.mjs
//
// Nothing is optimized, because what optimized code allocates depends on when it was compiled. So
// numbers of more than 31 bits count in boxes of their own, which a running program seldom makes:
// it allocates an eighth to a third of this.
import { setImmediate as nextTurn } from "node:timers/promises";
import { BatchReader, BatchWriter, elementLength, putElement } from "@tickwire/proto/codec";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { changeOf, snapshotOf, tradeOf } from "../bench/load/coinbase-frames.mjs";
import { tradeAt, TRADES_FROM_US } from "./steady-trade.mjs";

const EVENTS = 4_096;
const PER_BATCH = 16;
const INSTRUMENTS = 200;
const INSTRUMENTS_BUSY = 40;
const TRADES_MANY = 2_000;
/** Frames of a venue in a pass, and levels on each side of its books. */
const FRAMES = 512;
const LEVELS = 20;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Until everything has been allocated that is kept. */
const PASSES_BEFORE = 10;
const PASSES = 9;

const heldBytes = () => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** The same when there is no garbage, also none that something had a finalizer for. */
async function keptBytes() {
  for (let time = 0; time < 3; time += 1) {
    globalThis.gc();
    await nextTurn();
  }
  return heldBytes();
}

/** Median bytes of an event that passes of `work` allocate; nothing is collected meanwhile. */
function allocatedPerEvent(work, events) {
  for (let pass = 0; pass < PASSES_BEFORE; pass += 1) work();
  const samples = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    globalThis.gc();
    const before = heldBytes();
    work();
    samples.push((heldBytes() - before) / events);
  }
  return Math.round(samples.toSorted((a, b) => a - b)[PASSES >> 1]);
}

const parts = [];
for (let at = 0; at < EVENTS; at += PER_BATCH) {
  parts.push(Array.from({ length: PER_BATCH }, (_, index) => tradeAt(at + index)));
}

function encode() {
  const writer = new BatchWriter({ kind: "trades", epoch: TRADES_FROM_US });
  let last;
  for (const rows of parts) {
    [last] = writer.write({ kind: "trades", rows }, { publishedTimeUs: TRADES_FROM_US });
  }
  return last;
}

function encodedParts() {
  const writer = new BatchWriter({ kind: "trades", epoch: TRADES_FROM_US });
  return parts.map((rows, index) => {
    const [batch] = writer.write({ kind: "trades", rows }, { publishedTimeUs: TRADES_FROM_US });
    const shape = { topicId: 1, withBase: index === 0 };
    const bytes = new Uint8Array(elementLength(batch, shape.topicId, shape.withBase));
    putElement(bytes, 0, batch, shape);
    // Tag and length: one byte each, or two for the length.
    return bytes.subarray(bytes.length < 130 ? 2 : 3);
  });
}

const encoded = encodedParts();

function decode() {
  const reader = new BatchReader();
  for (const bytes of encoded) reader.read(bytes);
}

const STILL = { nowUs: () => TRADES_FROM_US, monotonicUs: () => 0 };

function createPublisher(clock = STILL) {
  return new Publisher({
    bus: { kind: "memory", payloadBytesMax: 1_048_576, publish() {} },
    clock,
    epoch: 1,
    limits: PUBLISH_LIMITS_DEFAULTS,
    schedule() {},
    counters: createPublisherCounters(),
    logger: SILENT,
  });
}

function instrument(index) {
  const symbol = `SYM${index}-USD`;
  return { venue: "bench", symbol, venueSymbol: symbol, base: `SYM${index}`, quote: "USD" };
}

function publish(publisher, of, count) {
  for (let index = 0; index < count; index += 1) {
    publisher.publish({ kind: "trade", instrument: of, ...tradeAt(index) });
    publisher.flush();
  }
}

/** Bytes that stay of an instrument after so many trades, a batch each. */
async function keptPerTopic(trades, count = INSTRUMENTS) {
  const publisher = createPublisher();
  const instruments = Array.from({ length: count }, (_, index) => instrument(index));
  const before = await keptBytes();
  for (const of of instruments) publish(publisher, of, trades);
  const kept = ((await keptBytes()) - before) / count;
  publisher.flush();
  return Math.round(kept);
}

/** An ingestor of Coinbase, from the bytes of frames to batches of 16 of them. */
function createIngestor() {
  const replay = new CaptureReplay({
    adapter: VENUES.coinbase,
    bookDepth: 1_000,
    logger: SILENT,
    emit: (event) => publisher.publish(event),
    emitTick: (tick) => publisher.publishTick(tick),
  });
  const publisher = createPublisher(replay.clock);
  replay.take({ kind: "open", atUs: TRADES_FROM_US, connection: 1, url: "wss://figures" });
  let frames = 0;
  return {
    take(bytes) {
      frames += 1;
      replay.takeText({ atUs: TRADES_FROM_US + frames, connection: 1 }, bytes);
      if (frames % PER_BATCH === 0) publisher.flush();
    },
    flush: () => publisher.flush(),
    close: () => replay.close(),
  };
}

const framesOf = (make, count) =>
  Array.from({ length: count }, (_, index) => Buffer.from(make(index)));

/** Bytes that a frame allocates, one change of a level each. */
function allocatedToIngestAChange() {
  const ingestor = createIngestor();
  ingestor.take(Buffer.from(snapshotOf("BTC-USD", LEVELS)));
  const frames = framesOf((index) => changeOf("BTC-USD", index, LEVELS), FRAMES);
  const bytes = allocatedPerEvent(() => {
    for (const frame of frames) ingestor.take(frame);
  }, FRAMES);
  ingestor.close();
  return bytes;
}

/** The same of trades, of which no number comes twice. */
function allocatedToIngestATrade() {
  const ingestor = createIngestor();
  const frames = framesOf(
    (index) => tradeOf("BTC-USD", 1 + index),
    FRAMES * (PASSES_BEFORE + PASSES),
  );
  let next = 0;
  const bytes = allocatedPerEvent(() => {
    for (const end = next + FRAMES; next < end; next += 1) ingestor.take(frames[next]);
  }, FRAMES);
  ingestor.close();
  return bytes;
}

/** Bytes that stay of an instrument with a small book, a few changes and a trade. */
async function keptPerInstrument() {
  const ingestor = createIngestor();
  const feed = (from, to) => {
    for (let index = from; index < to; index += 1) {
      const id = `A${index}-USD`;
      ingestor.take(Buffer.from(snapshotOf(id, LEVELS)));
      for (let change = 0; change < 2; change += 1) {
        ingestor.take(Buffer.from(changeOf(id, change, LEVELS)));
      }
      ingestor.take(Buffer.from(tradeOf(id, 1)));
    }
    ingestor.flush();
  };
  // The first ones pay for code and tables.
  feed(0, INSTRUMENTS);
  const before = await keptBytes();
  feed(INSTRUMENTS, 2 * INSTRUMENTS);
  const kept = ((await keptBytes()) - before) / INSTRUMENTS;
  ingestor.close();
  return Math.round(kept);
}

// The first publisher pays for what all share.
await keptPerTopic(1);
const figures = {
  keptOfATopicOfOneTrade: await keptPerTopic(1),
  keptOfATopicOfManyTrades: await keptPerTopic(TRADES_MANY, INSTRUMENTS_BUSY),
  keptOfAnInstrument: await keptPerInstrument(),
  allocatedToEncodeATrade: allocatedPerEvent(encode, EVENTS),
  allocatedToDecodeATrade: allocatedPerEvent(decode, EVENTS),
  allocatedToIngestAChange: allocatedToIngestAChange(),
  allocatedToIngestATrade: allocatedToIngestATrade(),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
