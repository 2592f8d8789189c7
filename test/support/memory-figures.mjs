// Bytes of memory that events cost, which are the same on every machine: what is allocated for each
// while it is encoded, decoded or published, and what stays of a topic. Runs on the build, in a
// process of its own, and prints one JSON object:
//
//   node --expose-gc --max-semi-space-size=256 --no-opt test/support/memory-figures.mjs
//
// Nothing is optimized, because what optimized code allocates depends on when it was compiled. So
// numbers of more than 31 bits count in boxes of their own, which a running program seldom makes:
// it allocates an eighth to a third of this.
import { BatchReader, BatchWriter, elementLength, putElement } from "@tickwire/proto/codec";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { tradeAt, TRADES_FROM_US } from "./steady-trade.mjs";

const EVENTS = 4_096;
const PER_BATCH = 16;
const INSTRUMENTS = 200;
const TRADES_MANY = 2_000;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Until everything has been allocated that is kept. */
const PASSES_BEFORE = 10;
const PASSES = 9;

const heldBytes = () => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

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

function createPublisher() {
  const clock = { nowUs: () => TRADES_FROM_US, monotonicUs: () => 0 };
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
function keptPerInstrument(trades) {
  const publisher = createPublisher();
  const instruments = Array.from({ length: INSTRUMENTS }, (_, index) => instrument(index));
  globalThis.gc();
  const before = heldBytes();
  for (const of of instruments) publish(publisher, of, trades);
  globalThis.gc();
  const kept = (heldBytes() - before) / INSTRUMENTS;
  publisher.flush();
  return Math.round(kept);
}

// The first publisher pays for what all share.
keptPerInstrument(1);
const figures = {
  allocatedToEncodeATrade: allocatedPerEvent(encode, EVENTS),
  allocatedToDecodeATrade: allocatedPerEvent(decode, EVENTS),
  keptOfATopicOfOneTrade: keptPerInstrument(1),
  keptOfATopicOfManyTrades: keptPerInstrument(TRADES_MANY),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
